"""Tests of what X answers mean."""
