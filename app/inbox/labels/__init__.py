"""Labels of the team, and which item carries which."""
