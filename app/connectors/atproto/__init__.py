"""AT Protocol as Bluesky speaks it: entities, and the session that asks for them."""
