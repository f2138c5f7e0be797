"""Checks that no event is ever lost: kills processes at random, and counts what arrives.

An episode is one home directory, one endpoint and some waves of processes that are killed; then
everything is sent to a healthy endpoint, and the journal is compared with what arrived there.
"""
