"""Declare meters that exist already: select them, write them, add them to files."""
