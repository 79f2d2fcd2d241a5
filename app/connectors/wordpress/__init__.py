"""What WordPress answers, read without a network."""
