"""The groups of checks; each module lists its own."""
