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


def now() -> int:
    """The current time as stored in the tables: milliseconds since 1970."""
    return int(time.time() * 1000)


METADATA = MetaData()
NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit primary key; SQLite numbers rows automatically only in a column of type INTEGER."""
PLACE = ("account", "org", "project", "workspace")
WAITING, DELIVERED, REFUSED = "waiting", "delivered", "refused"
"""The statuses of an event."""

WORKSPACES = Table(
    "workspaces",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    *(Column(name, Text, nullable=False) for name in PLACE),
    Column("due", BigInteger, index=True, comment="when to send its next event; NULL: none waits"),
    Column("tries", Integer, nullable=False, comment="that failed in a row"),
    Column("turn_of", BigInteger, comment="the key whose turn `due` is, and has been counted"),
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
    Column("turn_at", BigInteger, nullable=False, comment="up to when its requests are counted"),
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
    Column("fingerprint", Text, comment="of a body that has an event_id: it comes once"),
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
