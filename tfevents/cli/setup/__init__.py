"""The commands before and beside the work: set it up, try it out, look at it."""
