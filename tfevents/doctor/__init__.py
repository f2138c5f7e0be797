"""Diagnoses whether a run in a directory would be reported, and if not, why not."""
