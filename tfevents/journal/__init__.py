"""Runs and events on disk, the locks of running processes, and recovery."""
