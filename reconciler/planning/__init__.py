"""Compare desired and existing meters, and decide what a plan does."""
