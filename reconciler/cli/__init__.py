"""Words to verb to exit code: the command line, and all that it prints."""
