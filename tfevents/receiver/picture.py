"""Counts as a picture: a bar whose parts stand for what was added, changed, deleted and so on."""

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
"""In the order in which they are shown."""
WIDTH, LEAST = 100.0, 5.0
"""Of the bar, and of a part that is not zero: one change in a thousand can be seen."""


class Part(Struct, frozen=True):
    """One part of a bar. `x` and `width` are in hundredths of the bar."""

    name: str
    sign: str
    count: int
    x: float
    width: float


class Bar(Struct, frozen=True):
    """A bar, and the same in words."""

    parts: tuple[Part, ...]
    words: str


def draw_counts(counts: Mapping[str, int] | None) -> Bar | None:
    """The bar of the contract's Counts; None where they are absent. All zero is a bar without
    parts."""
    if counts is None:
        return None
    known = {name: counts[name] for name in SIGNS if counts.get(name, 0) > 0}
    words = ", ".join(f"{count:,} {name}" for name, count in known.items())
    return Bar(tuple(_share(known)), words or "nothing")


def _share(counts: Mapping[str, int]) -> list[Part]:
    """Each as wide as its share, but none narrower than can be seen."""
    total = sum(counts.values())
    widths = {name: max(LEAST, WIDTH * count / total) for name, count in counts.items()}
    scale = WIDTH / sum(widths.values()) if widths else 1.0
    parts, x = [], 0.0
    for name, width in widths.items():
        shown = round(width * scale, 2)
        parts.append(Part(name, SIGNS[name], counts[name], round(x, 2), shown))
        x += shown
    return parts
