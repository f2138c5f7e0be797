"""`tfevents stage-complete`: sends the event that ends a pipeline stage."""

from __future__ import annotations

from typing import Any

import click

from tfevents.cli.options import event_options
from tfevents.cli.send import send_event


@click.command("stage-complete")
@event_options
def stage_complete(**options: Any) -> int:
    """Send the event that ends a pipeline stage.

    The pipeline, its execution and its stage are found in the environment.
    """
    return send_event("stage-complete", **options)
