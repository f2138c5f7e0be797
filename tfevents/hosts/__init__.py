"""Reports runs of hosts that run terraform themselves, by calls of their hooks."""
