"""The nouns: meters, projects, changes, findings."""
