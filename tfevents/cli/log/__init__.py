"""`tfevents log`: prints the journal's runs and events, as tables or as JSON."""
