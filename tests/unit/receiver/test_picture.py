"""Counts become a bar, and a text with the same numbers."""

from __future__ import annotations

import pytest

from tfevents.receiver.picture import draw_counts


def test_one_change_in_a_thousand_can_be_seen() -> None:
    """The part of a single change is wide enough to see; the parts fill the bar without gaps."""
    bar = draw_counts({"added": 1, "changed": 0, "deleted": 0, "unchanged": 999})
    assert bar is not None
    assert [(part.name, part.count) for part in bar.parts] == [("added", 1), ("unchanged", 999)]
    assert bar.parts[0].width > 4
    assert bar.parts[1].x == bar.parts[0].width
    assert sum(part.width for part in bar.parts) == pytest.approx(100, abs=0.1)
    assert bar.words == "1 added, 999 unchanged"


def test_nothing_and_not_known() -> None:
    """If all counts are zero, the bar has no parts; if the counts are missing, there is no bar."""
    empty = draw_counts(dict.fromkeys(("added", "changed", "deleted", "unchanged"), 0))
    assert empty is not None
    assert (empty.parts, empty.words) == ((), "nothing")
    assert draw_counts(None) is None
