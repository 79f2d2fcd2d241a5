"""Erasing a person: nothing of them stays, and nothing of them comes back."""
