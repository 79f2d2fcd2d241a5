"""Tests of what Lemmy's answers mean."""
