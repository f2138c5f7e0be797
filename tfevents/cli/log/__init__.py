"""`tfevents log`: what the journal holds, for people and for programs."""
