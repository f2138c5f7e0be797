"""`tfevents inventory`: prints a directory's modules and providers."""

from __future__ import annotations

import os

import click

from tfevents.cli.output import Table, write_json
from tfevents.terminal import print_line, printable


@click.command()
@click.argument("directory", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--opentofu", is_flag=True, help="As OpenTofu reads it: its registry, .tofu files.")
def inventory(directory: str, as_json: bool, opentofu: bool) -> None:
    """Show a directory's modules and providers.

    As they are declared, and what they resolved to.
    """
    from tfevents.readers.hcl import inventory as reader

    data_dir = os.environ.get("TF_DATA_DIR") or ".terraform"
    found = reader.read_inventory(directory, opentofu=opentofu, data_dir=data_dir)
    for problem in found.problems:
        print_line(problem)
    document = found.as_json()
    if as_json:
        return write_json(document)
    for title in ("modules", "providers"):
        rows = document[title]
        if rows:
            columns = tuple(rows[0])
            Table(columns, [[str(row[c] or "-") for c in columns] for row in rows]).show()
    version, backend = document["required_version"] or "any version", document["backend"]
    declared = f"backend {backend}" if backend else "no backend declared"
    click.echo(printable(f"terraform {version}, {declared}"))
