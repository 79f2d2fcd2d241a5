"""TikTok's API for Business, as far as it reads one account."""
