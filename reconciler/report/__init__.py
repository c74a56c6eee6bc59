"""What a run reports, before it has a format."""
