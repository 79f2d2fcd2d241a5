"""Rules: what a team wants done with messages of some kind, as data that the team edits."""
