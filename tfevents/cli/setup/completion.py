"""`tfevents completion`: prints click's completion script for one shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_TFEVENTS_COMPLETE"
"""The environment variable of the completion script; click's name for a program `tfevents`."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a completion script for SHELL.

    bash and zsh: eval "$(tfevents completion bash)" in the shell's own file; fish: into
    ~/.config/fish/completions/tfevents.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, "tfevents", VARIABLE).source())
