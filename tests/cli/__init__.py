"""The command line, run as a person runs it, against a small service over real HTTP."""
