"""Would a run here be reported, and if not, why not."""
