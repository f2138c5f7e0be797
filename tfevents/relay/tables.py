"""The relay's database tables in SQLite and PostgreSQL, as the last migration leaves them."""

from __future__ import annotations

import time

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from tfevents.receiver.tables import NUMBER, PLACE


def now() -> int:
    """The current time as stored in the tables: milliseconds since 1970."""
    return int(time.time() * 1000)


METADATA = MetaData()
WAITING, DELIVERED, REFUSED = "waiting", "delivered", "refused"
"""The statuses of an event."""

WORKSPACES = Table(
    "workspaces",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    *(Column(name, Text, nullable=False) for name in PLACE),
    Column("due", BigInteger, index=True, comment="when to send its next event; NULL: none waits"),
    Column("tries", Integer, nullable=False, comment="failed attempts in a row"),
    Column(
        "turn_of", BigInteger, comment="id of the key whose rate already counts the turn at `due`"
    ),
    UniqueConstraint(*PLACE),
)
CLAIMS = Table(
    "claims",
    METADATA,
    Column("workspace_id", NUMBER, ForeignKey(WORKSPACES.c.id), primary_key=True),
)
"""One row per workspace, locked by the sender that works on it. The row in WORKSPACES must stay
unlocked for arriving events."""
KEYS = Table(
    "keys",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("sealed", Text, nullable=False, comment="encrypted; empty for the relay's own"),
    Column(
        "turn_at", BigInteger, nullable=False, comment="time up to which the key's rate is used up"
    ),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("seq", NUMBER, primary_key=True),
    Column("workspace_id", NUMBER, ForeignKey(WORKSPACES.c.id), nullable=False),
    Column("key_id", NUMBER, ForeignKey(KEYS.c.id), comment="NULL once it is delivered"),
    Column("received_at", BigInteger, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("reason", Text, comment="why it was not delivered the last time"),
    Column("fingerprint", Text, comment="hash of a body with an event_id, which is stored once"),
    Column("body", Text, nullable=False, comment="as it was sent; empty once it is delivered"),
    UniqueConstraint("workspace_id", "fingerprint"),
)
WAITS = EVENTS.c.status == literal_column(f"'{WAITING}'")
"""The condition of the index below, as a literal: with a bound parameter the database could not
tell that the index applies."""
Index(
    "events_that_wait",
    EVENTS.c.workspace_id,
    EVENTS.c.seq,
    sqlite_where=WAITS,
    postgresql_where=WAITS,
)
HOLDS = Table(
    "holds",
    METADATA,
    Column("workspace_id", NUMBER, ForeignKey(WORKSPACES.c.id), primary_key=True),
    Column("key_id", NUMBER, ForeignKey(KEYS.c.id), primary_key=True),
    Column("until", BigInteger, nullable=False),
)
"""Keys that the server has refused for a workspace; nothing is sent with them before `until`."""
