"""Claims on workspaces: only one thread of all relays at a time sends a workspace's events, which
keeps them in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import Engine, Select, select

from tfevents.relay.tables import CLAIMS, WORKSPACES, now


class Claims(Protocol):
    """Hands out claims. Only one thread of a relay may call `take` at a time."""

    engine: Engine

    def take(self) -> AbstractContextManager[int | None]:
        """Claims the workspace that has been due longest, for the time of the context.

        The context's value is the workspace's id; None if no unclaimed workspace is due. Raises
        SQLAlchemyError.
        """


class OwnClaims:
    """The claims of a relay with a database of its own: kept in memory."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._taken: set[int] = set()

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """See Claims."""
        with self.engine.connect() as connection:
            found = connection.execute(_select_due(self._taken)).scalar()
        with _mark_taken(self._taken, found):
            yield found


class SharedClaims:
    """The claims of relays that share a PostgreSQL: a claim is a row lock on CLAIMS, and locked
    rows are skipped.

    The lock ends with its transaction, however the relay ends. Each claim is kept in memory, too:
    if the connection is lost, the lock ends before the result of a request is recorded.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._taken: set[int] = set()

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """See Claims; the context is one transaction."""
        wanted = _select_due(self._taken).join(CLAIMS)
        with self.engine.begin() as connection:
            lock = wanted.with_for_update(of=CLAIMS, skip_locked=True)
            found = connection.execute(lock).scalar()
            with _mark_taken(self._taken, found):
                yield found


def _select_due(taken: set[int]) -> Select[Any]:
    """A query for the id of the workspace that has been due longest and is not in `taken`."""
    due, number = WORKSPACES.c.due, WORKSPACES.c.id
    wanted = select(number).where(due <= now(), number.not_in(tuple(taken)))
    return wanted.order_by(due).limit(1)


@contextmanager
def _mark_taken(taken: set[int], found: int | None) -> Iterator[None]:
    if found is not None:
        taken.add(found)
    try:
        yield
    finally:
        taken.discard(found or 0)
