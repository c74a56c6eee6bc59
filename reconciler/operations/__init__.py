"""The operations behind the commands, one module each."""
