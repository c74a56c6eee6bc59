"""Usage: meter events, their sums, and the reports of what was rejected; API v1 and v2."""
