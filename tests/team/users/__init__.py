"""Tests of the people of the team."""
