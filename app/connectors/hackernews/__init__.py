"""What Hacker News and its search answer, read without a network."""
