"""A store-and-forward relay: stores the events of many runners, and delivers them in order."""
