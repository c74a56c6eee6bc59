"""The same work on many accounts, side by side."""
