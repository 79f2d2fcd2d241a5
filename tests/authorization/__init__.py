"""Who may do what to which things, for every operation."""
