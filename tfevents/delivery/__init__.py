"""Sends pending events and artifacts over HTTP, in order, within a deadline."""
