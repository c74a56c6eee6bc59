"""HTTP: connections to one API, and one request over one of them, within limits."""
