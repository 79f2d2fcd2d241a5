"""Reading the platforms: when, how far, and what was missed."""
