"""`python -m app.cli`: the same as `unanswered`."""

from app.cli import main

main()
