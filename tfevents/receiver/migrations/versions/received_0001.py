"""Creates the tables of workspaces, events and artifacts."""

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
        sa.UniqueConstraint("account", "org", "project", "workspace"),
    )
    op.create_table(
        "events",
        sa.Column("seq", NUMBER, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("received_at", sa.BigInteger, nullable=False, comment="milliseconds since 1970"),
        sa.Column("workspace_id", NUMBER, sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column(
            "run", sa.Text, nullable=False, comment="data.run_id, or the id where there is none"
        ),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("activity_type", sa.Text),
        sa.Column("activity_status", sa.Text),
        sa.Column("pipeline", sa.Text),
        sa.Column("pipeline_execution_id", sa.Text),
        sa.Column("pipeline_stage_id", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("events_of_workspace", "events", ["workspace_id", "seq"])
    op.create_index("events_of_run", "events", ["workspace_id", "run", "seq"])
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("workspace_id", NUMBER, sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column("data_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
    )
