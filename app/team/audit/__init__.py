"""The audit trail: who did what to the service, one row for each request that changes something."""
