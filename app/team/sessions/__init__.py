"""Sessions of browsers: rows of ours that a cookie leads to."""
