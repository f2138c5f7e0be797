"""Writes text to a terminal without characters that could control it."""

from __future__ import annotations

import os


def printable(text: str, replacement: str = " ") -> str:
    """`text` with each non-printable character replaced by `replacement`."""
    return "".join(c if c.isprintable() else replacement for c in text)


def print_line(line: str) -> None:
    """Writes one line to stderr, with the prefix `tfevents:`; does nothing if stderr is closed."""
    try:  # noqa: SIM105  # contextlib is slow to import
        os.write(2, f"tfevents: {printable(line)}\n".encode(errors="replace"))
    except OSError:
        pass  # stderr is closed
