"""A small fake platform that keeps asking questions, for the demo and for tests."""
