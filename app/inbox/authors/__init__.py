"""People: their history with us, muting, notes about them."""
