"""Runs `tfevents receive --forward` on a free port."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.endpoint import Request
from support.receiver import Receiver

SECRET = "c29tZSBzZWNyZXQgb2YgdGhlIHRlc3RzLCBhYmMgMTI="
NOBODY = "http://127.0.0.1:9"
"""The URL of a server that is unreachable."""


def start_relay(home: Path, url: str, *options: str, env: Mapping[str, str] = {}) -> Receiver:
    """A relay that forwards to the server at `url`."""
    settings = {"TFEVENTS_RELAY_SECRET": SECRET, **env}
    return Receiver(home, "--forward", url, *options, env=settings)


def make_event(event_id: object, event_type: str = "active") -> dict[str, Any]:
    return {"event_type": event_type, "data": {"event_id": str(event_id)}}


def query(home: Path, words: str) -> list[Any]:
    """The result of a query of a relay's database; also for changes of it."""
    database = sqlite3.connect(home / "relay.db")
    try:
        with database:
            return database.execute(words).fetchall()
    finally:
        database.close()


def ids_by_workspace(requests: list[Request]) -> dict[str, list[str]]:
    """The IDs of the recorded events by workspace, in order."""
    found: dict[str, list[str]] = {}
    for one in requests:
        if one.recorded and one.place and one.event:
            found.setdefault(one.place.workspace, []).append(one.event["data"]["event_id"])
    return found
