"""Other programs that list what is open, on the same data: how to run them is in README.md."""
