"""Publish a report to a code host: a comment on a pull request, an issue about drift."""
