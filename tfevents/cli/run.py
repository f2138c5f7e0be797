"""`tfevents run`: runs the given binary as `tf` runs terraform."""

from __future__ import annotations

import os
import sys

import click

from tfevents.cli.options import cost_file_option
from tfevents.errors import ProvisionerNotFound


@click.command(context_settings={"allow_interspersed_args": False})
@cost_file_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="BINARY ...")
def run(command: tuple[str, ...]) -> int:
    """Run the BINARY that is named, as `tf` would.

    Everything after BINARY is passed to it: tfevents run -- terraform plan -out=p
    """
    from tfevents.terraform import binary
    from tfevents.wrapper import main as tf

    name, *arguments = command
    try:
        path = binary.find_binary(os.environ, sys.argv[0], name)
        return tf.run(arguments, path)
    except ProvisionerNotFound:
        raise ProvisionerNotFound(
            f"run: there is no program {name!r}: name terraform or tofu, or a path to it"
        ) from None
    except binary.NotExecutable as error:
        return tf.print_error(f"can't run {error.filename}: {error.strerror}", 126)
