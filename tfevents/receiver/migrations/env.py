"""Alembic's environment: runs the migrations on the connection that receiver/database.py passes."""

from __future__ import annotations

from alembic import context

from tfevents.receiver.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
