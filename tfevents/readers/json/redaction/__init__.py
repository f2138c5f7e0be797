"""Removes sensitive values from plan and state JSON."""
