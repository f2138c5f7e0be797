"""Terraform's command line, process and domain: plans, states, changes, counts."""
