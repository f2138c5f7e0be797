"""`tfevents count`: prints the counts of a plan or a state, as a table or as JSON."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tfevents.cli.output import Table, write_json
from tfevents.errors import ProvisionerNotFound
from tfevents.terminal import printable

if TYPE_CHECKING:
    from tfevents.readers.counting import DocumentCounts
    from tfevents.terraform.arguments import Mode
    from tfevents.terraform.client import TerraformClient
    from tfevents.terraform.counts import Counts
    from tfevents.terraform.plan import Plan


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option("--show", is_flag=True, help="May run terraform, and providers, in FILE's directory.")
def count(file: str, as_json: bool, show: bool) -> None:
    """Count a plan or a state.

    FILE is a plan file, plan JSON or state JSON; - reads any of these from stdin. A plan file that
    can't be read directly is shown by terraform in the working directory.
    """
    from tfevents.readers import counting

    show_plan_file = partial(show_plan, in_plan_directory=show)
    if file == "-":
        found = counting.count_stream(sys.stdin.buffer.read, "standard input", show_plan_file)
    else:
        found = counting.count_file(file, show_plan_file)
    if as_json:
        return write_json(make_document(found))
    make_table(found).show()
    click.echo(printable(describe_document(found)))


def make_document(found: DocumentCounts) -> dict[str, Any]:
    """The document that `count --json` prints."""
    return {
        "resource_counts": found.resources.as_json(),
        "output_counts": found.outputs.as_json(),
        "drift_counts": found.drift.as_json() if found.drift else None,
        "has_changes": found.has_changes,
        "errored": found.errored,
        "format_version": found.format_version,
        "terraform_version": found.terraform_version,
    }


def make_table(found: DocumentCounts) -> Table:
    """One row for each kind of count; a dash for counts that the document does not contain."""
    kinds = {"resources": found.resources, "outputs": found.outputs, "drift": found.drift}
    titles = list(found.resources.as_json())
    rows = [[kind, *_make_cells(counts, len(titles))] for kind, counts in kinds.items()]
    return Table(["", *titles], rows, right=frozenset(titles))


def _make_cells(counts: Counts | None, width: int) -> list[str]:
    return ["-"] * width if counts is None else [str(n) for n in counts.as_json().values()]


def describe_document(found: DocumentCounts) -> str:
    """The line below the table: kind of document, whether planning failed, versions."""
    changes = {None: "a state", True: "something to apply", False: "nothing to apply"}
    version = f"terraform {found.terraform_version}" if found.terraform_version else ""
    parts = [changes[found.has_changes], "planning failed" if found.errored else "", version]
    unknown = None in (found.resources, found.outputs, found.drift)
    parts += [f"format {found.format_version}", "-: it does not say" if unknown else ""]
    return ", ".join(filter(None, parts))


def show_plan(path: str, mode: Mode | None, *, in_plan_directory: bool) -> Plan | None:
    """The plan in a plan file, read by `terraform show -json`; None if no provisioner can.

    Runs the provisioner that TFEVENTS_PROVISIONER names, else terraform and then tofu, each in the
    working directory. With `in_plan_directory`, also in the plan file's directory: `show` needs the
    providers of the plan, and starts those that it finds there. Raises ProvisionerNotFound.
    """
    from tfevents.readers.json import plan as plan_json

    for client in _find_clients(path, in_plan_directory):
        plan = client.show(os.path.abspath(path), partial(plan_json.read_plan_json, mode=mode))
        if plan is not None:
            return plan
    return None


def _find_clients(path: str, in_plan_directory: bool) -> list[TerraformClient]:
    """A client for each provisioner and directory. Raises ProvisionerNotFound.

    The directories: the working directory and, with `in_plan_directory`, the plan file's.
    """
    from tfevents.settings.environment import find_provisioner
    from tfevents.terraform import binary
    from tfevents.terraform.client import TerraformClient

    wanted = find_provisioner(os.environ)
    names = (wanted,) if wanted else binary.NAMES
    binaries = [found for name in names if (found := _find_binary(name))]
    if not binaries:
        raise ProvisionerNotFound(f"there is no {' or '.join(names)} here")
    directory = os.path.dirname(os.path.abspath(path))
    options: list[tuple[str, ...]] = [()]
    if in_plan_directory and directory != os.getcwd() and not directory.startswith("/proc/"):
        options.append((f"-chdir={directory}",))
    return [TerraformClient(found, each, os.environ) for found in binaries for each in options]


def _find_binary(name: str) -> str | None:
    from tfevents.terraform import binary

    try:
        return binary.find_binary(os.environ, sys.argv[0], name)
    except ProvisionerNotFound:
        return None
