"""`tfevents flush` of what waits, to an endpoint that answers at once."""

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

EVENTS = 500


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """One workspace, so one after the other, on one connection."""
    with tempfile.TemporaryDirectory() as name, Endpoint() as endpoint:
        home = Path(name) / "journal"
        journal = open_journal(str(home))
        where = Destination("acct", "org", "proj", "ws")
        for _ in range(EVENTS):
            event_id = str(uuid.uuid4())
            body = {"event_type": "plan", "data": {"event_id": event_id}}
            journal.put(NewEvent(event_id, "run", where, body))
        journal.close()
        env = {**clean_env(Path(name) / "home"), **DELIVERY, "TFEVENTS_URL": endpoint.url}
        seconds, peak = peak_of_children([TFEVENTS, "flush"], {**env, "TFEVENTS_HOME": str(home)})
        assert len(endpoint.events) == EVENTS
    rate = f"{EVENTS / seconds:.0f} events"
    yield Row(f"flush {EVENTS} events", ours=seconds, peak=peak, rate=rate)
