"""The inbox: items, their states and answers, the people and threads they belong to."""
