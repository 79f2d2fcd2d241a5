"""The built-in page: served as it lies here, and a caller of the public API like any other."""
