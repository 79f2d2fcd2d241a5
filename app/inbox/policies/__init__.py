"""Response-time policies: kept, applied to what arrives, and to everything when they change."""
