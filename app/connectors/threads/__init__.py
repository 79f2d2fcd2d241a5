"""Threads: posts, replies and mentions as its API tells them."""
