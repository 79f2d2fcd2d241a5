"""Passwords: what may be one, and how they are kept."""
