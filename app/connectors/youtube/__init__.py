"""What the YouTube Data API says: comments, people, refusals."""
