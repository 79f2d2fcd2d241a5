"""The inbox: what somebody sent us, what we answered, and what happened to it."""
