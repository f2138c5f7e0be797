"""Random runs of an engine and of tf on twins: the proof of the first two promises."""
