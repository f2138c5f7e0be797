"""`tfevents selftest`: tests tfevents' promises on this machine, with its terraform."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfevents.cli.output import Table, write_json

if TYPE_CHECKING:
    from tfevents.selftest.check import CheckResult

TITLES = ("group", "check", "result", "seconds")
GROUPS = ("commands", "terminal", "signals", "counts", "delivery")
COLOURS = {"ok": "green", "skipped": "yellow", "differs": "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option(
    "--only", multiple=True, type=click.Choice(GROUPS), help="Run only this group; repeatable."
)
@click.option("--terraform", metavar="PATH", help="Test this binary.  [default: as `tf` chooses]")
def selftest(as_json: bool, only: tuple[str, ...], terraform: str | None) -> int:
    """Show that terraform runs here under `tf` as it runs alone.

    Compares every subcommand, the terminal, signals and counts with and without `tf`, and checks
    delivery: in a scratch directory, with terraform_data only, no cloud, no network but loopback,
    and none of your settings. Exits with 1 if anything differs.
    """
    from tfevents.terraform.binary import find_binary

    provisioner = Path(find_binary(os.environ, sys.argv[0], terraform)).absolute()
    tf = Path(sys.argv[0]).resolve().with_name("tf")
    results = list(_run_checks(provisioner, tf, only))
    if as_json:
        write_json(make_document(provisioner, results))
    else:
        show_results(provisioner, results)
    return 1 if any(result.status == "differs" for result in results) else 0


def _run_checks(provisioner: Path, tf: Path, only: Sequence[str]) -> Iterator[CheckResult]:
    from rich.console import Console
    from rich.markup import escape

    from tfevents.selftest.check import run_check
    from tfevents.selftest.checks import list_checks, make_scratch

    console = Console(stderr=True)
    with make_scratch(provisioner, tf, os.environ) as scratch, console.status("") as status:
        for number, check in enumerate(list_checks(scratch, only), 1):
            status.update(escape(f"{number}  {check.group}: {check.name}"))
            yield run_check(check)


def make_document(provisioner: Path, results: Sequence[CheckResult]) -> dict[str, Any]:
    """The document that `selftest --json` prints."""
    from msgspec.structs import asdict

    return {"binary": str(provisioner), "checks": [asdict(result) for result in results]}


def show_results(provisioner: Path, results: Sequence[CheckResult]) -> None:
    """Prints a row for each check, then the details of results that have some, then the numbers."""
    rows = [(r.group, r.name, r.status, f"{r.seconds:.1f}") for r in results]
    Table(TITLES, rows, right=frozenset({"seconds"}), colours=COLOURS).show()
    for result in results:
        if result.detail:
            click.echo(f"{result.status}: {result.group}, {result.name}: {result.detail}")
    click.echo(describe_numbers(provisioner, results))


def describe_numbers(provisioner: Path, results: Sequence[CheckResult]) -> str:
    """The last line: the number of checks for each status."""
    statuses = [result.status for result in results]
    summary = ", ".join(f"{statuses.count(s)} {s}" for s in COLOURS if s in statuses)
    return f"{provisioner}: {summary}"
