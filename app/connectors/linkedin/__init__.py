"""LinkedIn: Pages of organizations, as the versioned REST API tells them."""
