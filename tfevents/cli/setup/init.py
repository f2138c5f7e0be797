"""`tfevents init`: writes a repository's `.tfevents.hcl`, and prompts for missing options."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from tfevents.cli.options import parse_pairs
from tfevents.terminal import printable

NAME = ".tfevents.hcl"
NEXT = """\
Say at each place where runs are started who you are, with a key of your own:

  export TFEVENTS_API_KEY=pat.ACCOUNT.ID.SECRET

Then: tfevents doctor"""


@click.command()
@click.argument("directory", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--org", metavar="ID", help="The organization of the workspaces.")
@click.option("--project", metavar="ID", help="The project of the workspaces.")
@click.option("--workspace", metavar="ID", help="One workspace for all of it.")
@click.option(
    *("--map", "mapped"),
    multiple=True,
    metavar="DIRECTORY=ID",
    callback=parse_pairs,
    help="The workspace of a directory; may be repeated. In the place of asking for each.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(directory: str, mapped: Mapping[str, str], force: bool, **given: str | None) -> None:
    """Write a commented .tfevents.hcl into DIRECTORY.

    It maps directories that hold a backend or a state to workspaces, and never holds a key. What
    no option says is asked for.
    """
    from tfevents.settings.template import RepositorySettings, write_settings_file

    path = os.path.join(directory, NAME)
    if os.path.lexists(path) and not force:
        raise click.ClickException(f"{path} is there already: --force replaces it")
    org = given["org"] or ask("--org", "Organization", "default")
    project, workspace = given["project"] or ask("--project", "Project"), given["workspace"]
    if not (workspace or mapped):
        workspace, mapped = ask_for_workspaces(directory)
    text = write_settings_file(RepositorySettings(org, project, workspace, mapped))
    write_whole(path, text)
    click.echo(f"{printable(path)} is written: look at it, and commit it\n\n{NEXT}")


def ask(option: str, what: str, default: str | None = None) -> str:
    """Prompts for the value of `option`. Raises UsageError if stdin is no terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"nobody is there to be asked for it: give {option}")
    answer: str = click.prompt(what, default=default)
    return answer.strip()


def ask_for_workspaces(directory: str) -> tuple[str | None, Mapping[str, str]]:
    """Prompts for workspaces: (the only one, {}), or (None, directory → workspace).

    The latter if there are root modules in directories below `directory`.
    """
    from tfevents.readers.hcl.root_modules import find_root_modules
    from tfevents.settings.template import suggest_workspace

    found = [place for place in find_root_modules(directory) if place != "."]
    if not found:
        name = os.path.basename(os.path.realpath(directory))
        return ask("--workspace", "Workspace", suggest_workspace(name)), {}
    click.echo(f"{len(found)} directories hold a backend or a state; - leaves one out.")
    answers = {
        place: ask("--map", f"Workspace of {printable(place)}", suggest_workspace(place))
        for place in found
    }
    return None, {place: answer for place, answer in answers.items() if answer != "-"}


def write_whole(path: str, text: str) -> None:
    """Writes a file that becomes visible only when it is complete. Raises OSError."""
    draft = f"{path}.{os.getpid()}"
    with open(draft, "x", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)
