"""What X's answers mean: posts and people, refusals, prices."""
