"""Defines the options that several commands share."""

from __future__ import annotations

import os
from typing import Any

import click


def _set_cost_file(
    context: click.Context, parameter: click.Parameter, path: str | None
) -> str | None:
    """Sets TFEVENTS_COST_FILE, from which the run takes the path: the option has precedence."""
    if path:
        os.environ["TFEVENTS_COST_FILE"] = path
    return path


cost_file_option = click.option(
    "--cost-file",
    type=click.Path(),
    metavar="FILE",
    expose_value=False,
    callback=_set_cost_file,
    help="Infracost's JSON, to report costs.",
)


def event_options(command: Any) -> Any:
    """Adds the options of the commands that send one event: `send` and `stage-complete`."""
    for option in (
        click.option("--strict", is_flag=True, help="Exit with 86 if the event is not delivered."),
        click.option(
            "--workspace", metavar="ID", help="The IaCM workspace that the event belongs to."
        ),
        click.option("--project", metavar="ID", help="The project of that workspace."),
        click.option("--org", metavar="ID", help="The organization of that project."),
        click.option(
            *("--metadata", "metadata"),
            multiple=True,
            metavar="FIELD=VALUE",
            callback=parse_pairs,
            help="A metadata field of the contract; may be repeated.",
        ),
        click.option(
            *("--data", "data"),
            multiple=True,
            metavar="KEY=VALUE",
            callback=parse_pairs,
            help="An entry of the event's data; may be repeated.",
        ),
    ):
        command = option(command)
    return command


def parse_pairs(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """A mapping from `KEY=VALUE` texts. Raises BadParameter."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{name!r} is no {parameter.metavar}", context, parameter)
        if any("\udc80" <= character <= "\udcff" for character in text):
            raise click.BadParameter(f"{name!r} is no UTF-8", context, parameter)
        pairs[name] = value
    return pairs
