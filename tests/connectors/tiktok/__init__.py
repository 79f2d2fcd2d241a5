"""Tests of what TikTok answers mean."""
