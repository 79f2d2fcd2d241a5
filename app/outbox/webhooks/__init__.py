"""Telling other programs: webhooks, what is delivered to them, and the sender."""
