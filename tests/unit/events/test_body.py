"""An event's body is clean and limited in size."""

from __future__ import annotations

from typing import Any

import pytest
from support.exhaustive import exhaustive_except

from tfevents.events.body import LARGEST_EVENT, build_event, build_whole_event
from tfevents.events.model import Activity, EventType

PLAN = Activity(EventType.PLAN, "plan", "success")


def test_our_own_finding_is_cleaned_as_a_vendor_s() -> None:
    """Facts become one line without escape sequences, and a fact that is too long or empty is left
    out; a commit message keeps its lines."""
    event = build_event(
        PLAN,
        {
            "git_branch": "a\x1b[31mb\n\u202ec",
            "git_commit_message": "a\n\x1b]0;title\x07b",
            "x": "",
        },
        {"directory": "a\n\tb\x00", "tf_workspace": "x" * 3000, "lineage": None},
    )
    about = {"activity_type": "plan", "activity_status": "success"}
    assert event.metadata == {**about, "git_branch": "ab c", "git_commit_message": "a\nb"}
    assert event.data == {"directory": "a b"}


def test_what_is_told_by_hand_keeps_its_lines() -> None:
    """Data that a user gives on the command line keeps its line ends, and does not replace data of
    our own."""
    event = build_whole_event(
        PLAN, {}, {"event_id": "ours"}, user_data={"a\nb": "c\nd", "event_id": "x"}
    )
    assert event.data == {"a b": "c\nd", "event_id": "ours"}


LARGE: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {f"k{n}": "v" for n in range(8000)}),
    ({f"k{n}": "\U0001f600" * 60 for n in range(8000)}, {}),
    ({"trigger": {f"k{n}": n for n in range(20_000)}}, {}),
    ({f"k{n}": {"added": 10**4000} for n in range(20)}, {"x": "y" * 2048}),
    (
        {f"k{n}": [["a" * 200] * 20] for n in range(50)},
        {f"k{n}": "z" * 250 for n in range(400)},
    ),
]


@pytest.mark.parametrize(("metadata", "data"), exhaustive_except(LARGE, LARGE[0], LARGE[4]))
def test_an_event_is_bounded_whatever_it_is_made_of(
    metadata: dict[str, Any], data: dict[str, str]
) -> None:
    """If an event is too large, its largest fields are left out; the activity's type stays."""
    event = build_event(PLAN, metadata, data)
    assert event.size <= LARGEST_EVENT
    assert event.metadata["activity_type"] == "plan"
