"""Parses what is needed of HCL: modules, providers, settings files."""
