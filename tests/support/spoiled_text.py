"""Spoils text for fuzz tests: some of it is removed, repeated, or something else inserted."""

from __future__ import annotations

import random

PIECES = (
    *'{}"\\/*#$%\n\r\t =<-[]().,:?!&|aü\0\u2028😀1',
    *("${", "%{", "<<EOT\n", "*/", "\\u", "---\n", "..."),
)


def spoil_text(text: str, dice: random.Random) -> str:
    """`text` with one to six changes."""
    for _ in range(dice.randint(1, 6)):
        at, other = dice.randint(0, len(text)), dice.randint(0, len(text))
        piece = dice.choice((dice.choice(PIECES), text[other : other + dice.randint(1, 30)]))
        text = text[:at] + piece + text[at + dice.choice((0, 0, 1, dice.randint(1, 9))) :]
    return text
