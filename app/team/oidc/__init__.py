"""Signing in through another service by OpenID Connect."""
