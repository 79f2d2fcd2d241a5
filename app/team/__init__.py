"""Who may call the service, with which token, and the keys that guard what it stores."""
