"""Messages, people, rights and refusals of Slack's Web API."""
