"""Private notes on items."""
