"""`tfevents plugin`: the entry point of a pipeline stage's container."""

from __future__ import annotations

import os

import click


@click.command()
def plugin() -> int:
    """Run a pipeline stage: the entry point of its container.

    Settings are read from PLUGIN_* variables.
    """
    from tfevents.stage.plugin import run_plugin

    return run_plugin(os.environ)
