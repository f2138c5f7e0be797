"""`tfevents plugin`: the entry point of a pipeline stage's container."""

from __future__ import annotations

import os

import click


@click.command()
def plugin() -> int:
    """Be a pipeline stage's container.

    For its entry point: settings arrive as PLUGIN_*.
    """
    from tfevents.stage.plugin import run_plugin

    return run_plugin(os.environ)
