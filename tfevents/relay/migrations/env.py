"""Alembic's environment: runs the migrations on the connection that relay/database.py passes."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from tfevents.relay.tables import METADATA

MIGRATING = 7_310_020
"""The number of a PostgreSQL advisory lock: of relays that start together on a shared database,
only one migrates at a time."""

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.execute(text("set local lock_timeout = 0"))
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": MIGRATING})
    context.run_migrations()
