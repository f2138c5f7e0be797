"""Creates the tables of workspaces, claims, keys, events and holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Creates all tables in an empty database."""
    op.create_table(
        "workspaces",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column(
            "due",
            sa.BigInteger,
            index=True,
            comment="when to send its next event; NULL: none waits",
        ),
        sa.Column("tries", sa.Integer, nullable=False, comment="failed attempts in a row"),
        sa.Column(
            "turn_of",
            sa.BigInteger,
            comment="id of the key whose rate already counts the turn at `due`",
        ),
        sa.UniqueConstraint("account", "org", "project", "workspace"),
    )
    op.create_table(
        "claims",
        sa.Column("workspace_id", NUMBER, sa.ForeignKey("workspaces.id"), primary_key=True),
    )
    op.create_table(
        "keys",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column(
            "sealed", sa.Text, nullable=False, comment="encrypted; empty for the relay's own"
        ),
        sa.Column(
            "turn_at",
            sa.BigInteger,
            nullable=False,
            comment="time up to which the key's rate is used up",
        ),
    )
    op.create_table(
        "events",
        sa.Column("seq", NUMBER, primary_key=True),
        sa.Column("workspace_id", NUMBER, sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column("key_id", NUMBER, sa.ForeignKey("keys.id"), comment="NULL once it is delivered"),
        sa.Column("received_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, comment="why it was not delivered the last time"),
        sa.Column(
            "fingerprint", sa.Text, comment="hash of a body with an event_id, which is stored once"
        ),
        sa.Column(
            "body", sa.Text, nullable=False, comment="as it was sent; empty once it is delivered"
        ),
        sa.UniqueConstraint("workspace_id", "fingerprint"),
    )
    op.create_index(
        "events_that_wait",
        "events",
        ["workspace_id", "seq"],
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "holds",
        sa.Column("workspace_id", NUMBER, sa.ForeignKey("workspaces.id"), primary_key=True),
        sa.Column("key_id", NUMBER, sa.ForeignKey("keys.id"), primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
