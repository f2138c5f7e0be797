"""Whether an event is ever lost: processes are killed at random, and what arrives is counted.

An episode is one home, one endpoint and some waves of processes that are killed; then everything is
sent to a healthy endpoint, and the journal is held against what arrived there.
"""
