"""Messages, threads, rights and refusals of Discord's API."""
