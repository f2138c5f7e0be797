"""The times that `--since` accepts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tfevents.cli.log.since import parse_since

NOW = 1_764_403_200.0
"""2025-11-29T08:00:00Z."""


@pytest.fixture(autouse=True)
def in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sets the local time zone to Asia/Kolkata, which is 5:30 hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", "2025-11-29T08:00:00.000Z"),
        ("90m", "2025-11-29T06:30:00.000Z"),
        ("2h", "2025-11-29T06:00:00.000Z"),
        ("7d", "2025-11-22T08:00:00.000Z"),
        ("2w", "2025-11-15T08:00:00.000Z"),
        ("2025-11-28", "2025-11-27T18:30:00.000Z"),
        ("2025-11-28T10:00", "2025-11-28T04:30:00.000Z"),
        ("2025-11-28 10:00:01", "2025-11-28T04:30:01.000Z"),
        ("2025-11-28T10:00Z", "2025-11-28T10:00:00.000Z"),
        ("2025-11-28T10:00:00.250+02:00", "2025-11-28T08:00:00.250Z"),
        ("999999999w", "1970-01-01T00:00:00.000Z"),
        ("1900-01-01T00:00Z", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time(text: str, expected: str) -> None:
    """`--since` takes a duration before now, or a time, which is local if it names no zone; times
    before 1970 become 1970."""
    assert parse_since(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2 h", "-2h", "2", "2H", "1.5h", "2025-13-01", "2h ", "١h"),
        *("0001-01-01T00:00+12:00", "9999-12-31T23:59-12:00"),
    ],
)
def test_no_time(text: str) -> None:
    """Any other text is refused with ValueError; none is guessed."""
    with pytest.raises(ValueError, match=r"."):
        parse_since(text, NOW)
