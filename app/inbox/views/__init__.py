"""Saved filters."""
