"""The summary of all workspaces on the receiver's pages."""

from __future__ import annotations

import pytest

from tfevents.receiver.page import Health, describe_health


@pytest.mark.parametrize(
    ("found", "health"),
    [
        ({}, None),
        ({"active": 1}, Health("good", "All is well in 1 workspace")),
        ({"active": 1, "inactive": 2}, Health("good", "All is well in 3 workspaces")),
        ({"active": 8, "apply_needed": 1}, Health("warn", "1 of 9 workspaces needs an apply")),
        ({"apply_needed": 2}, Health("warn", "2 of 2 workspaces need an apply")),
        ({"drifted": 1, "apply_needed": 2}, Health("drift", "1 of 3 workspaces drifted")),
        ({"failed": 1200, "drifted": 9}, Health("bad", "1,200 of 1,209 workspaces failed")),
    ],
)
def test_the_most_urgent_is_said(found: dict[str, int], health: Health | None) -> None:
    """The summary is one line about the most urgent of the workspaces' states."""
    assert describe_health(found) == health
