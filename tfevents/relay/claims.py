"""Who sends for a workspace: one thread of all relays at a time, to keep its events in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Engine, select

from tfevents.relay.tables import CLAIMS, WORKSPACES, now


class Claims(Protocol):
    """Asked by one thread of a relay at a time."""

    engine: Engine

    def take(self) -> AbstractContextManager[int | None]:
        """Holds the workspace that has been due longest; None where none is."""


class OwnClaims:
    """Of a relay that is the only one: it knows what its own threads do."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._taken: set[int] = set()

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """Holds it in memory."""
        found = self._find()
        if found is None:
            yield None
            return
        self._taken.add(found)
        try:
            yield found
        finally:
            self._taken.discard(found)

    def _find(self) -> int | None:
        due, taken = WORKSPACES.c.due, tuple(self._taken)
        wanted = select(WORKSPACES.c.id).where(due <= now(), WORKSPACES.c.id.not_in(taken))
        with self.engine.connect() as connection:
            return connection.execute(wanted.order_by(due).limit(1)).scalar()


class SharedClaims:
    """Of relays that share a PostgreSQL: a claim is a locked row, and passes over those that are
    locked. It ends with its transaction, however the relay ends."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """Holds it in a transaction."""
        due = WORKSPACES.c.due
        wanted = select(WORKSPACES.c.id).join(CLAIMS).where(due <= now()).order_by(due).limit(1)
        with self.engine.begin() as connection:
            yield connection.execute(wanted.with_for_update(of=CLAIMS, skip_locked=True)).scalar()
