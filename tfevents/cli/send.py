"""`tfevents send`: sends one event with the given type and data."""

from __future__ import annotations

import os
from typing import Any

import click

from tfevents.cli.options import event_options
from tfevents.errors import UNDELIVERED
from tfevents.terminal import print_line, printable

EVENT_TYPES = (
    *("plan", "drifted", "provisioning", "destroying", "active", "inactive"),
    *("apply_needed", "failed", "stage-complete"),
)
ACTIVITY_TYPES = ("apply", "destroy", "plan", "drifted", "import")
ACTIVITY_STATUSES = ("success", "failure")
"""The contract's enums; tests compare them with the packaged schema."""


@click.command()
@click.argument("event_type", type=click.Choice(EVENT_TYPES), metavar="EVENT_TYPE")
@click.option("--activity-type", type=click.Choice(ACTIVITY_TYPES), help="What was going on.")
@click.option("--activity-status", type=click.Choice(ACTIVITY_STATUSES), help="How it ended.")
@event_options
def send(
    event_type: str, activity_type: str | None, activity_status: str | None, **options: Any
) -> int:
    """Send one event by hand.

    EVENT_TYPE is plan, drifted, provisioning, destroying, active, inactive, apply_needed, failed
    or stage-complete. Commit and pipeline are found as in a run.
    """
    activity = {"activity_type": activity_type, "activity_status": activity_status}
    options["metadata"] |= {name: value for name, value in activity.items() if value}
    return send_event(event_type, **options)


def send_event(
    event_type: str,
    metadata: dict[str, str],
    data: dict[str, str],
    strict: bool,
    **flags: str | None,
) -> int:
    """Sends an event, prints the result and returns the exit code.

    `flags`: the settings that the command line gives, by name.
    """
    from tfevents.reporting.manual_event import ManualEvent, send_manual_event

    result = send_manual_event(
        ManualEvent(event_type, metadata, data),
        os.getcwd(),
        os.environ,
        {**flags, "strict": "1" if strict else None},
    )
    if result.delivered:
        click.echo(printable(result.line))
    else:
        print_line(result.line)
    return UNDELIVERED if result.strict and not result.delivered else 0
