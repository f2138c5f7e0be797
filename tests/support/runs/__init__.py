"""Random runs of an engine and of `tf` in twins (two equal directories): prove the first two
promises."""
