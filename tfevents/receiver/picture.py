"""Computes the bar chart of counts: one part each for added, changed, deleted and so on."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

SIGNS = {
    "added": "+",
    "changed": "~",
    "deleted": "\N{MINUS SIGN}",
    "imported": "\N{DOWNWARDS ARROW}",
    "removed": "\N{MULTIPLICATION SIGN}",
    "unchanged": "=",
}
"""The sign of each count, in the order of display."""
WIDTH, LEAST = 100.0, 5.0
"""The width of the bar, and the least width of a part before scaling: even one change in a thousand
remains visible."""


class Part(Struct, frozen=True):
    """One part of a bar. `x` (its left edge) and `width` are in hundredths of the bar's width."""

    name: str
    sign: str
    count: int
    x: float
    width: float


class Bar(Struct, frozen=True):
    """A bar, and its text alternative for screen readers."""

    parts: tuple[Part, ...]
    words: str


def draw_counts(counts: Mapping[str, int] | None) -> Bar | None:
    """The bar for the contract's Counts; None if they are absent. A bar without parts if all are
    zero."""
    if counts is None:
        return None
    known = {name: counts[name] for name in SIGNS if counts.get(name, 0) > 0}
    words = ", ".join(f"{count:,} {name}" for name, count in known.items())
    return Bar(tuple(_divide_bar(known)), words or "nothing")


def _divide_bar(counts: Mapping[str, int]) -> list[Part]:
    """The parts of a bar: each in proportion to its count, but at least LEAST wide, all scaled to
    WIDTH together."""
    total = sum(counts.values())
    widths = {name: max(LEAST, WIDTH * count / total) for name, count in counts.items()}
    scale = WIDTH / sum(widths.values()) if widths else 1.0
    parts, x = [], 0.0
    for name, width in widths.items():
        shown = round(width * scale, 2)
        parts.append(Part(name, SIGNS[name], counts[name], round(x, 2), shown))
        x += shown
    return parts
