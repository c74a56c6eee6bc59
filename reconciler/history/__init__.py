"""What happened: the journal of runs, the git commits behind it, and one time line of both."""
