"""Parses terraform's formats: bytes in, values out; no process, no network."""
