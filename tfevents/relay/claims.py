"""Who sends for a workspace: one thread at a time, so that its events stay in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, select

from tfevents.relay.tables import WORKSPACES, now


class OwnClaims:
    """Of one relay, that knows what its own threads do; asked by one of them at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._taken: set[int] = set()

    @contextmanager
    def take(self) -> Iterator[int | None]:
        """Holds the workspace that has been due longest; None where none is."""
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
