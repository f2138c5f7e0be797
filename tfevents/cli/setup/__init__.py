"""The commands for setting tfevents up and trying it out."""
