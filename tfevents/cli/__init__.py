"""tfevents' own commands: parse options, call the other packages, print."""
