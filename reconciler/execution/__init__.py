"""Execute a plan: its requests and their results."""
