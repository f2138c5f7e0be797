"""Prunes the journal: delivered events by age, all events by number, and the runs of these."""

from __future__ import annotations

import time

from tfevents.journal.database import Database

KEPT_DAYS = 90
KEPT_EVENTS = 10_000
# `+` makes SQLite use the index on put_at, not the one on status
OLD = "(+status = 'delivered' and put_at < ? or seq <= ?)"
OLD_RUN = """opened_at < ? and ended_at is not null
    and not exists (select 1 from events where events.run_id = runs.run_id)"""


def prune(database: Database) -> int:
    """Deletes old events, and then old runs; returns how many deleted events were undelivered.

    Age deletes only delivered events: a clock that is or was wrong must not lose an event. An
    undelivered event is deleted only when KEPT_EVENTS newer events exist. Old runs that have ended
    and have no event are deleted together with old events only: no index finds them.
    """
    oldest = time.strftime("%Y-%m-%d", time.gmtime(time.time() - KEPT_DAYS * 86400))
    bounds = (oldest, _find_surplus(database))
    query = f"select status != 'delivered' from events where {OLD}"  # noqa: S608  # a literal
    if not database.query(f"{query} limit 1", bounds):
        return 0
    with database.transaction() as db:
        lost = sum(row[0] for row in db.execute(query, bounds))
        db.execute(f"delete from events where {OLD}", bounds)  # noqa: S608  # a literal
        db.execute(f"delete from runs where {OLD_RUN}", (oldest,))  # noqa: S608  # a literal
    return int(lost)


def _find_surplus(database: Database) -> int:
    """The number (`seq`) of the latest event that has KEPT_EVENTS newer ones; 0 if there is none.

    Numbers have gaps, so the events are counted, but only if there are enough numbers.
    """
    ends = "select min(seq) from events union all select max(seq) from events"
    first, last = (number or 0 for (number,) in database.query(ends))
    if last - first < KEPT_EVENTS:
        return 0
    if database.query("select count(*) from events")[0][0] <= KEPT_EVENTS:
        return 0
    latest = "select seq from events order by seq desc limit 1 offset ?"
    return next((int(seq) for (seq,) in database.query(latest, (KEPT_EVENTS,))), 0)
