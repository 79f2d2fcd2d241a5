"""Reddit: its things and listings, its people, its refusals, and one account."""
