"""Changing the key for stored credentials while services run."""
