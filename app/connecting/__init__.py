"""Connecting an account through its platform's own page (OAuth)."""
