"""`tfevents init`: writes a repository's `.tfevents.hcl`, and prompts for missing options."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress

import click

from tfevents.cli.options import parse_pairs
from tfevents.terminal import printable

NAME = ".tfevents.hcl"
NEXT = """\
Wherever runs are started, set an API key:

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
    help="The workspace of a directory; may be repeated. Instead of asking for each.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(directory: str, mapped: Mapping[str, str], force: bool, **options: str | None) -> None:
    """Write a commented .tfevents.hcl into DIRECTORY.

    It maps directories that hold a backend or a state to workspaces, and never holds a key. Asks
    for what no option gives.
    """
    from tfevents.settings.template import RepositorySettings, write_settings_file

    path = os.path.join(directory, NAME)
    if os.path.lexists(path) and not force:
        raise click.ClickException(f"{path} is there already: --force replaces it")
    org = options["org"] or prompt("--org", "Organization", "default")
    project, workspace = options["project"] or prompt("--project", "Project"), options["workspace"]
    if not (workspace or mapped):
        workspace, mapped = prompt_for_workspaces(directory)
    text = write_settings_file(RepositorySettings(org, project, workspace, mapped))
    try:
        write_atomically(path, text)
    except UnicodeEncodeError:
        raise click.ClickException(f"{path}: a name that goes into it is no UTF-8") from None
    click.echo(f"{printable(path)} is written: look at it, and commit it\n\n{NEXT}")


def prompt(option: str, text: str, default: str | None = None) -> str:
    """Prompts for the value of `option`. Raises UsageError if stdin is no terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"stdin is not a terminal, so nothing can be asked: give {option}")
    answer = ""
    while not answer:  # click itself asks again for an empty one, but not for one of spaces
        answer = click.prompt(text, default=default).strip()
    return answer


def prompt_for_workspaces(directory: str) -> tuple[str | None, Mapping[str, str]]:
    """Prompts for workspaces: (the only one, {}), or (None, directory → workspace).

    The latter if there are root modules in directories below `directory`.
    """
    from tfevents.readers.hcl.root_modules import find_root_modules
    from tfevents.settings.template import suggest_workspace

    modules = [module for module in find_root_modules(directory) if module != "."]
    if not modules:
        name = os.path.basename(os.path.realpath(directory))
        return prompt("--workspace", "Workspace", suggest_workspace(name)), {}
    click.echo(f"{len(modules)} directories hold a backend or a state; - leaves one out.")
    answers = {
        module: prompt("--map", f"Workspace of {printable(module)}", suggest_workspace(module))
        for module in modules
    }
    return None, {module: answer for module, answer in answers.items() if answer != "-"}


def write_atomically(path: str, text: str) -> None:
    """Writes a file that becomes visible only when it is complete. Raises OSError."""
    draft = f"{path}.{os.getpid()}"
    file = open(draft, "x", encoding="utf-8")  # noqa: SIM115  # closed below
    try:
        with file:
            file.write(text)
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)
        raise
