"""What others must hear: events first, deliveries later."""
