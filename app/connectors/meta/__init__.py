"""Meta's Graph API, which Facebook Pages, Instagram and Threads share."""
