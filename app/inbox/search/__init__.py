"""Finding items by their words and by a few short filters."""
