"""Tests of tokens, keys and the principal."""
