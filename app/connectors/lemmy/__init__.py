"""Lemmy: what its two APIs say, how a server is asked, whose account it is."""
