"""Runs the migrations on the connection that it is given (`relay/database.py`)."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from tfevents.relay.tables import METADATA

MIGRATING = 7_310_020
"""The number of a lock: of relays that share a database and start at once, one migrates."""

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.execute(text("set local lock_timeout = 0"))
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": MIGRATING})
    context.run_migrations()
