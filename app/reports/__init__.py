"""Numbers over weeks: how soon we answer, who still waits, and at which hours."""
