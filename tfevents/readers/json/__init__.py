"""Parses terraform's JSON: plans, states, and what is sensitive in them."""
