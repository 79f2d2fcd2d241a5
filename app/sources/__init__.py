"""What we watch: sources, their streams, gaps, runs and coverage."""
