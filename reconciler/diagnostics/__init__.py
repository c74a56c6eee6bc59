"""Diagnostics and errors: codes, messages, locations, exit codes."""
