"""Tests of Reddit's parsing."""
