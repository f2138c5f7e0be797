"""Finds out where and why a run happened: git, CI, costs."""
