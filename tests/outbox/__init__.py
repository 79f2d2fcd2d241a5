"""Tests of what others must hear."""
