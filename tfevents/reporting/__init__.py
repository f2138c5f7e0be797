"""Turns one run into events: collects its facts, determines its outcome, reports it."""
