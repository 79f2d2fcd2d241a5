"""Ways in for people: a password, a link that lets in once, another service, a proxy."""
