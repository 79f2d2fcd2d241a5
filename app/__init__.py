"""Unanswered: the list of everybody who still waits for an answer."""

__version__ = "0.1.0"
