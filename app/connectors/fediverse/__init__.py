"""The client API that Mastodon, GoToSocial and Pleroma share: entities and pages, no network."""
