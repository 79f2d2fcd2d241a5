"""Tests of signing in through another service."""
