"""Items out of the inbox as a file, and into it again."""
