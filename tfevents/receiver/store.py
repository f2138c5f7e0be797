"""Stores received events and artifacts in a database, and queries them for the pages and the API.

The only module with the receiver's database queries.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, case, func, select
from sqlalchemy.exc import SQLAlchemyError

from tfevents.errors import StoreUnavailable
from tfevents.receiver.contract import ActivityQuery, Place
from tfevents.receiver.database import make_insert
from tfevents.receiver.tables import ARTIFACTS, EVENTS, PLACE, WORKSPACES
from tfevents.text import clean

NO_STATUS = "stage-complete"
"""The event type that tells nothing about its workspace's status."""
URGENT = ("failed", "drifted", "apply_needed")
"""The statuses of a workspace that needs attention, the most urgent first."""
MILLISECONDS = 1000
LARGEST = 2**63 - 1
"""The largest integer that the databases can store."""


class Received(Struct, frozen=True):
    """One stored event. `received_at`: milliseconds since 1970. `body`: the JSON text as sent."""

    seq: int
    id: str
    received_at: int
    account: str
    org: str
    project: str
    workspace: str
    workspace_id: int
    run: str
    event_type: str
    body: str


class Page(Struct, frozen=True):
    """One page of a list, and the number of items in the whole list."""

    items: Sequence[Received]
    total: int


class Filter(Struct, frozen=True):
    """Selects runs or workspaces; empty or None means any.

    `text`: a part of the workspace's name. `status`: the type of the latest event.
    """

    text: str = ""
    workspace_id: int | None = None
    status: str = ""


class Store:
    """The receiver's database. Every method may raise StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:  # its text may quote the values written
            reason = type(getattr(error, "orig", None) or error).__name__
            raise StoreUnavailable(f"the database of what was received: {reason}") from error

    def add_event(self, place: Place, event: Mapping[str, Any], body: str) -> str:
        """Stores one event, committed on return; returns its new id."""
        event_id = str(uuid.uuid4())
        metadata, data = event.get("metadata") or {}, event.get("data") or {}
        names = ("activity_type", "activity_status", "pipeline", "pipeline_execution_id")
        row = {name: clean(metadata.get(name)) for name in (*names, "pipeline_stage_id")}
        with self._transaction() as connection:
            connection.execute(
                EVENTS.insert().values(
                    id=event_id,
                    received_at=_now(),
                    workspace_id=_find_workspace(connection, place),
                    run=clean(data.get("run_id")) or event_id,
                    event_type=event["event_type"],
                    body=body,
                    **row,
                )
            )
        return event_id

    def add_artifact(self, place: Place, data_type: str, size: int, sha256: str) -> str:
        """Stores what an artifact was, without its bytes; returns its new id."""
        artifact_id = str(uuid.uuid4())
        with self._transaction() as connection:
            connection.execute(
                ARTIFACTS.insert().values(
                    id=artifact_id,
                    received_at=_now(),
                    workspace_id=_find_workspace(connection, place),
                    data_type=data_type,
                    size=size,
                    sha256=sha256,
                )
            )
        return artifact_id

    def find_last_seq(self) -> int:
        """The sequence number of the latest event; 0 without events."""
        with self._transaction() as connection:
            return connection.execute(select(func.max(EVENTS.c.seq))).scalar() or 0

    def list_activities(self, place: Place, query: ActivityQuery) -> Page:
        """One page of the activities (the events with an activity_type), the latest first.

        `place`: the account, org and project; its workspace is not used.
        """
        conditions: list[ColumnElement[bool]] = [
            EVENTS.c.activity_type.is_not(None),
            WORKSPACES.c.account == place.account,
            WORKSPACES.c.org == place.org,
            WORKSPACES.c.project == place.project,
            *(_column_of(name) == text for name, text in query.filters.items()),
        ]
        if query.start is not None:
            conditions.append(EVENTS.c.received_at >= query.start)
        if query.end is not None:
            conditions.append(EVENTS.c.received_at <= query.end)
        found = select(EVENTS.c.seq).join(WORKSPACES).where(*conditions)
        return self._find_page(found, query.page, query.limit)

    def list_workspaces(self, wanted: Filter, page: int, limit: int) -> Page:
        """One page with the latest status event of each workspace: the most urgent status first,
        within a status the latest first."""
        status_events = EVENTS.alias("status_events")
        latest = (
            select(func.max(status_events.c.seq))
            .where(
                status_events.c.workspace_id == WORKSPACES.c.id,
                status_events.c.event_type != NO_STATUS,
            )
            .correlate(WORKSPACES)
            .scalar_subquery()
        )
        ranks = {status: rank for rank, status in enumerate(URGENT)}
        rank = case(ranks, value=EVENTS.c.event_type, else_=len(URGENT)).label("rank")
        found = select(EVENTS.c.seq, rank).join(WORKSPACES).where(EVENTS.c.seq == latest)
        return self._find_page(found.where(*_conditions_of(wanted)), page, limit, first="rank")

    def list_runs(self, wanted: Filter, page: int, limit: int) -> Page:
        """One page with the latest event of each run, the latest first."""
        latest = select(func.max(EVENTS.c.seq).label("seq")).group_by(
            EVENTS.c.workspace_id, EVENTS.c.run
        )
        conditions = _conditions_of(wanted)
        if not conditions:  # answered from the index alone
            return self._find_page(latest, page, limit)
        runs = latest.subquery()
        found = select(EVENTS.c.seq).join(runs, EVENTS.c.seq == runs.c.seq).join(WORKSPACES)
        return self._find_page(found.where(*conditions), page, limit)

    def count_statuses(self) -> dict[str, int]:
        """The number of workspaces by status."""
        latest = (
            select(func.max(EVENTS.c.seq).label("seq"))
            .where(EVENTS.c.event_type != NO_STATUS)
            .group_by(EVENTS.c.workspace_id)
            .subquery()
        )
        found = (
            select(EVENTS.c.event_type, func.count())
            .join(latest, EVENTS.c.seq == latest.c.seq)
            .group_by(EVENTS.c.event_type)
        )
        with self._transaction() as connection:
            return {row[0]: row[1] for row in connection.execute(found)}

    def list_recent(self, workspace_ids: Sequence[int], limit: int) -> dict[int, list[str]]:
        """By workspace id, the types of its latest `limit` events, the oldest first."""
        number = func.row_number().over(
            partition_by=EVENTS.c.workspace_id, order_by=EVENTS.c.seq.desc()
        )
        ranked = (
            select(EVENTS.c.workspace_id, EVENTS.c.event_type, EVENTS.c.seq, number.label("n"))
            .where(EVENTS.c.workspace_id.in_(workspace_ids))
            .subquery()
        )
        wanted = select(ranked).where(ranked.c.n <= limit).order_by(ranked.c.seq)
        found: dict[int, list[str]] = {workspace_id: [] for workspace_id in workspace_ids}
        with self._transaction() as connection:
            for row in connection.execute(wanted):
                found[row.workspace_id].append(row.event_type)
        return found

    def find_run(self, event_id: str) -> list[Received]:
        """The events of the run that an event belongs to, the oldest first, at most 1000; empty for
        an unknown event id."""
        one = select(EVENTS.c.workspace_id, EVENTS.c.run).where(EVENTS.c.id == event_id).subquery()
        same = (EVENTS.c.workspace_id == one.c.workspace_id) & (EVENTS.c.run == one.c.run)
        found = _select_events().join(one, same).order_by(EVENTS.c.seq).limit(1000)
        with self._transaction() as connection:
            return [_make_received(row) for row in connection.execute(found)]

    def _find_page(self, found: Select[Any], page: int, limit: int, first: str = "seq") -> Page:
        """One page of the events whose `seq` the query `found` selects, the latest first.

        `first`: another column of `found` to order by before that, ascending. Only the bodies of
        this page's events are read.
        """
        seqs = found.subquery()
        total = select(func.count()).select_from(seqs)
        offset = min((page - 1) * limit, LARGEST)
        order = (seqs.c.seq.desc(),) if first == "seq" else (seqs.c[first], seqs.c.seq.desc())
        some = select(seqs.c.seq).order_by(*order).limit(limit).offset(offset)
        with self._transaction() as connection:
            wanted = connection.execute(some).scalars().all()
            rows = connection.execute(_select_events().where(EVENTS.c.seq.in_(wanted)))
            events = {row.seq: _make_received(row) for row in rows}
            return Page(
                items=[events[seq] for seq in wanted],
                total=connection.execute(total).scalar_one(),
            )


def _find_workspace(connection: Connection, place: Place) -> int:
    """The id of a workspace; a new workspace is inserted."""
    names = {name: getattr(place, name) for name in PLACE}
    wanted = select(WORKSPACES.c.id).where(*(WORKSPACES.c[name] == names[name] for name in PLACE))
    found = connection.execute(wanted).scalar()
    if found is not None:
        return int(found)
    insert = make_insert(connection, WORKSPACES).values(names)
    connection.execute(insert.on_conflict_do_nothing())
    return int(connection.execute(wanted).scalar_one())


def _select_events() -> Select[Any]:
    places = [WORKSPACES.c[name] for name in PLACE]
    kept = [EVENTS.c[name] for name in Received.__struct_fields__ if name in EVENTS.c]
    joined = EVENTS.join(WORKSPACES, EVENTS.c.workspace_id == WORKSPACES.c.id)
    return select(*kept, *places).select_from(joined)


def _make_received(row: Row[Any]) -> Received:
    return Received(**row._mapping)


def _conditions_of(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.text:
        conditions.append(WORKSPACES.c.workspace.icontains(wanted.text, autoescape=True))
    if wanted.workspace_id is not None:
        conditions.append(WORKSPACES.c.id == wanted.workspace_id)
    if wanted.status:
        conditions.append(EVENTS.c.event_type == wanted.status)
    return conditions


def _column_of(name: str) -> ColumnElement[Any]:
    return WORKSPACES.c.workspace if name == "workspace" else EVENTS.c[name]


def _now() -> int:
    return int(time.time() * MILLISECONDS)
