"""Tests of the fake platform."""
