"""The events in a journal, each checked against the contract as the service would check it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from support.contract import decode


def read_kept(home: Path) -> list[dict[str, Any]]:
    """The events in order; empty without a journal. Raises Refusal for one that the service would
    refuse."""
    if not (home / "journal.db").exists():
        return []
    with closing(sqlite3.connect(home / "journal.db")) as db:
        bodies = [body for (body,) in db.execute("select body from events order by seq")]
    events = [decode(body.encode(), strict=True) for body in bodies]
    for event in events:
        _assert_nothing_empty(event)
    return events


def _assert_nothing_empty(event: Mapping[str, Any]) -> None:
    """Asserts that fields without a value are left out."""
    for value in [*event.get("metadata", {}).values(), *event.get("data", {}).values()]:
        assert value not in ("", None, {})
