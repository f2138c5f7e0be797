"""tfevents' own commands, run as people run them."""
