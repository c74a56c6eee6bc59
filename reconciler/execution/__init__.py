"""Execute a plan: its requests, and what became of each."""
