"""Counts become a bar whose parts fill it, and words that say the same."""

from __future__ import annotations

import pytest

from tfevents.receiver.picture import draw_counts


def test_one_change_in_a_thousand_can_be_seen() -> None:
    """And the parts fill the bar, one behind the other."""
    bar = draw_counts({"added": 1, "changed": 0, "deleted": 0, "unchanged": 999})
    assert bar is not None
    assert [(part.name, part.count) for part in bar.parts] == [("added", 1), ("unchanged", 999)]
    assert bar.parts[0].width > 4
    assert bar.parts[1].x == bar.parts[0].width
    assert sum(part.width for part in bar.parts) == pytest.approx(100, abs=0.1)
    assert bar.words == "1 added, 999 unchanged"


def test_nothing_and_not_known() -> None:
    """All zero is a bar without parts; absent is none."""
    empty = draw_counts(dict.fromkeys(("added", "changed", "deleted", "unchanged"), 0))
    assert empty is not None
    assert (empty.parts, empty.words) == ((), "nothing")
    assert draw_counts(None) is None
