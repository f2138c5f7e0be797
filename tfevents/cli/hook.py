"""`tfevents hook`: what hosts that run terraform themselves call before and after it."""

from __future__ import annotations

import os
from typing import Any

import click

from tfevents.cli.options import cost_file_option
from tfevents.terminal import print_line


def _parse_text(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """A pipeline's inputs are empty where they were not given."""
    return text.strip() or None if text else None


def _parse_exit_code(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> int | None:
    text = _parse_text(context, parameter, text)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise click.BadParameter(f"{text[:20]!r} is no exit code", context, parameter)
    return int(text)


@click.command()
@click.argument("moment", type=click.Choice(("before", "after", "error")))
@click.argument("command", required=False, default="")
@click.option("--plan-file", callback=_parse_text, help="The saved plan, for its counts.")
@click.option(
    "--plan-json", callback=_parse_text, help="`show -json` of it, where the host made one."
)
@click.option("--exit-code", callback=_parse_exit_code, help="What terraform ended with.")
@click.option(
    "--directory", callback=_parse_text, help="The unit, where that is not the directory."
)
@cost_file_option
def hook(moment: str, command: str, **options: Any) -> int:
    """Report a run of somebody else's terraform.

    To be called before, after, and on an error. COMMAND is plan, apply, destroy, refresh or import.
    """
    from tfevents.hosts.call import CallOptions, parse_call
    from tfevents.hosts.hook import find_exit_code, report_call
    from tfevents.hosts.hook_hosts import find_host
    from tfevents.settings.switches import is_on

    host = find_host(os.environ)
    if not (command or host.command):
        raise click.UsageError("which command? name it: plan, apply, destroy, refresh or import")
    call = parse_call(moment, command, CallOptions(**options), host, os.environ)
    if call is None:
        return 0
    result = report_call(call, os.environ)
    if result.line and not is_on("quiet", os.environ):
        print_line(result.line)
    return find_exit_code(moment, delivered=result.delivered, env=os.environ)
