"""Updates, messages, chats and refusals of Telegram's Bot API."""
