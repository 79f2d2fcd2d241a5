"""Tests of what YouTube answers mean."""
