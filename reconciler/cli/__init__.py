"""The command line: parse it, run the command, print one document, return the exit code."""
