"""The people of the team."""
