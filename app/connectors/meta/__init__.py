"""Meta's Graph API, which Facebook Pages and Instagram share."""
