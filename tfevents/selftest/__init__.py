"""Checks that tfevents keeps its promises on this machine, with this terraform, without a cloud."""
