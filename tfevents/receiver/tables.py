"""The receiver's database tables, as the last migration leaves them.

They are the same in SQLite and PostgreSQL. An event's body is stored as the text that was sent, so
that no database changes it; the values that are searched for have their own columns.
"""

from __future__ import annotations

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
)

METADATA = MetaData()
NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit primary key; SQLite numbers rows automatically only in a column of type INTEGER."""
PLACE = ("account", "org", "project", "workspace")
"""The columns that identify a workspace."""

WORKSPACES = Table(
    "workspaces",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    *(Column(name, Text, nullable=False) for name in PLACE),
    UniqueConstraint(*PLACE),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("seq", NUMBER, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("received_at", BigInteger, nullable=False, comment="milliseconds since 1970"),
    Column("workspace_id", NUMBER, ForeignKey(WORKSPACES.c.id), nullable=False),
    Column("run", Text, nullable=False, comment="data.run_id, or the id where there is none"),
    Column("event_type", Text, nullable=False),
    Column("activity_type", Text),
    Column("activity_status", Text),
    Column("pipeline", Text),
    Column("pipeline_execution_id", Text),
    Column("pipeline_stage_id", Text),
    Column("body", Text, nullable=False),
    Index("events_of_workspace", "workspace_id", "seq"),
    Index("events_of_run", "workspace_id", "run", "seq"),
)
ARTIFACTS = Table(
    "artifacts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("workspace_id", NUMBER, ForeignKey(WORKSPACES.c.id), nullable=False),
    Column("data_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
)
