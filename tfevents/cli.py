"""tfevents' own commands."""
def main() -> int:
    return 0
