"""Tests of what every router shares."""
