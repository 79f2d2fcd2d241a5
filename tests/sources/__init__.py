"""Tests of what we watch."""
