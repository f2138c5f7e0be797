"""Runs your terraform or tofu, stays out of its way, and tells Harness IaCM what happened."""

__version__ = "0.1.0"
