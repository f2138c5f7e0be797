"""What we write to somebody's terminal: no text of theirs may steer it."""

from __future__ import annotations

import os


def printable(text: str, instead: str = " ") -> str:
    """`text` with `instead` of every character that a terminal would not show."""
    return "".join(c if c.isprintable() else instead for c in text)


def print_line(line: str) -> None:
    """One line of ours on stderr, whether anybody reads it or not."""
    try:  # noqa: SIM105  # contextlib is slow to import
        os.write(2, f"tfevents: {printable(line)}\n".encode(errors="replace"))
    except OSError:
        pass  # stderr is closed
