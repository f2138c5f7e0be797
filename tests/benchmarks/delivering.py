"""Measures `tfevents flush` of waiting events, to an endpoint that answers at once."""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from counting import TFEVENTS
from measure import Row, peak_of_children
from support.endpoint import Endpoint
from support.engines import clean_env
from wrapping import DELIVERY

from tfevents.journal.journal import open_journal
from tfevents.journal.models import Destination, NewEvent
from tfevents.journal.rows import EVENT, write_event

SIZES = ((500, 1), (1000, 300), (9900, 300))
"""Numbers of events and of workspaces: the events of each go one after the other, all on one
connection."""


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Times `tfevents flush` of a journal that is full of waiting events."""
    for count, workspaces in SIZES:
        with tempfile.TemporaryDirectory() as name, Endpoint() as endpoint:
            home = Path(name) / "journal"
            fill(home, count, workspaces)
            env = {**clean_env(Path(name) / "home"), **DELIVERY, "TFEVENTS_URL": endpoint.url}
            env["TFEVENTS_HOME"] = str(home)
            seconds, peak = peak_of_children([TFEVENTS, "flush"], env)
            assert len(endpoint.events) == count
        rate = f"{count / seconds:.0f} events"
        title = f"flush {count} events of {workspaces} workspaces"
        yield Row(title, ours=seconds, peak=peak, rate=rate)


def fill(home: Path, count: int, workspaces: int) -> None:
    """Puts all events into the journal in `home` at once: one by one they would take as long as the
    flush."""
    journal, rows = open_journal(str(home)), []
    for number in range(count):
        event_id = str(uuid.uuid4())
        where = Destination("acct", "org", "proj", f"ws{number % workspaces}")
        body = {"event_type": "plan", "data": {"event_id": event_id}}
        columns = {**dict.fromkeys(EVENT.split(", ")), "attempts": 0}
        rows.append([*(columns | write_event(NewEvent(event_id, "run", where, body))).values()])
    journal.insert_moved((), rows)
    journal.close()
