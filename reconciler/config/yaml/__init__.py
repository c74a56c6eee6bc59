"""Read YAML with the location of every value."""
