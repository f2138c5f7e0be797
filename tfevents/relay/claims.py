"""Who sends for a workspace: one thread of all relays at a time, to keep its events in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import Engine, Select, select

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
        with self.engine.connect() as connection:
            found = connection.execute(_select_due(self._taken)).scalar()
        with _hold(self._taken, found):
            yield found


class SharedClaims:
    """Of relays that share a PostgreSQL: a claim is a locked row, and passes over those that are
    locked. It ends with its transaction, however the relay ends; in memory, too, for the database
    may end before a result is noted."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._taken: set[int] = set()

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """Holds it in a transaction."""
        wanted = _select_due(self._taken).join(CLAIMS)
        with self.engine.begin() as connection:
            lock = wanted.with_for_update(of=CLAIMS, skip_locked=True)
            found = connection.execute(lock).scalar()
            with _hold(self._taken, found):
                yield found


def _select_due(taken: set[int]) -> Select[Any]:
    """The workspace that has been due longest, of those that are not taken."""
    due, number = WORKSPACES.c.due, WORKSPACES.c.id
    wanted = select(number).where(due <= now(), number.not_in(tuple(taken)))
    return wanted.order_by(due).limit(1)


@contextmanager
def _hold(taken: set[int], found: int | None) -> Iterator[None]:
    if found is not None:
        taken.add(found)
    try:
        yield
    finally:
        taken.discard(found or 0)
