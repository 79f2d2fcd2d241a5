"""Who is looking at an item, or writing an answer to it, at this moment."""
