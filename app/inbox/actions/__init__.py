"""What people and rules have done, to be looked at and undone."""
