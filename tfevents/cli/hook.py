"""`tfevents hook`: called before and after terraform by hosts that run terraform themselves."""

from __future__ import annotations

import os
from typing import Any

import click

from tfevents.cli.options import cost_file_option
from tfevents.terminal import print_line

MOMENTS = ("before", "after", "error")
SUCCEEDED_BY_NAME = {"success": True, "failure": False}
"""The values of `--exit-code` for hosts that don't know the exit code: name → succeeded."""


def _parse_text(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """The text without surrounding spaces; None if empty, as unset inputs of a pipeline are."""
    return text.strip() or None if text else None


def _check_exit_code(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> str | None:
    from tfevents.hosts.hook_hosts import parse_exit_code

    text = _parse_text(context, parameter, text)
    if text is None or text in SUCCEEDED_BY_NAME or parse_exit_code(text) is not None:
        return text
    problem = f"{text[:20]!r} is no exit code: a number, or success or failure"
    raise click.BadParameter(problem, context, parameter)


@click.command()
@click.argument("moment", type=click.Choice(MOMENTS))
@click.argument("words", metavar="[--] COMMAND [ARGUMENTS]", nargs=-1)
@click.option("--plan-file", callback=_parse_text, help="The saved plan, for its counts.")
@click.option(
    "--plan-json",
    callback=_parse_text,
    help="The plan as `show -json`, if the host made one; - reads it from stdin.",
)
@click.option(
    "--exit-code",
    metavar="CODE",
    callback=_check_exit_code,
    help="Terraform's exit code; success or failure if only that is known.",
)
@click.option(
    "--directory",
    callback=_parse_text,
    help="The unit's directory, if terraform runs in another one.",
)
@cost_file_option
def hook(moment: str, words: tuple[str, ...], exit_code: str | None, **options: Any) -> int:
    """Report a run of a terraform that a host runs itself.

    The host calls it before and after terraform, and on an error. COMMAND is plan, apply, destroy,
    refresh or import; after -- comes the command line as terraform gets it:
    tfevents hook before -- "$@"
    """
    from tfevents.hosts.call import CallOptions, find_unknown_command, parse_call
    from tfevents.hosts.hook import find_exit_code, report_call
    from tfevents.hosts.hook_hosts import find_host, parse_exit_code
    from tfevents.settings.switches import is_on

    host = find_host(os.environ)
    words = words if any(words) else tuple(filter(None, (host.command,)))
    if not words:
        raise click.UsageError("which command? name it: plan, apply, destroy, refresh or import")
    if (unknown := find_unknown_command(words)) not in (None, host.command):
        raise click.UsageError(f"{unknown[:20]!r} is no command of terraform")
    succeeded = SUCCEEDED_BY_NAME.get(exit_code or "")
    call_options = CallOptions(exit_code=parse_exit_code(exit_code), succeeded=succeeded, **options)
    call = parse_call(moment, words, call_options, host, os.environ)
    if call is None:
        return 0
    result = report_call(call, os.environ)
    if result.line and not is_on("quiet", os.environ):
        print_line(result.line)
    return find_exit_code(moment, delivered=result.delivered, env=os.environ)
