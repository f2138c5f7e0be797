"""`tfevents doctor`: prints whether a run here would be reported, and if not, why."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from tfevents.cli.output import Table, write_json
from tfevents.terminal import printable

if TYPE_CHECKING:
    from tfevents.doctor.facts import DoctorFacts
    from tfevents.doctor.findings import Finding


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.argument("directory", default=".", type=click.Path(exists=True, file_okay=False))
def doctor(directory: str, as_json: bool) -> int:
    """Say whether a run here would be reported, or why not.

    Shows which terraform would run, each setting and where it comes from, what git and CI say,
    whether home can be written to and the server takes the API key, and how many events wait. Sends
    no event, but creates the journal if there is none. Exits with 1 if a run would not be reported.
    """
    from tfevents.doctor.findings import list_findings
    from tfevents.doctor.gather import gather_facts

    facts = gather_facts(os.path.abspath(directory), os.environ, sys.argv[0])
    findings = list_findings(facts)
    if as_json:
        write_json(make_document(facts, findings))
    else:
        show_findings(findings)
        show_facts(facts)
    return 1 if any(finding.problem for finding in findings) else 0


def make_document(facts: DoctorFacts, findings: Sequence[Finding]) -> dict[str, Any]:
    """The document that `doctor --json` prints."""
    from msgspec import to_builtins

    reported = not any(finding.problem for finding in findings)
    return {"reported": reported, "findings": to_builtins(findings), "facts": to_builtins(facts)}


def show_findings(findings: Sequence[Finding]) -> None:
    """Prints each finding and what to do about it; without a problem, that a run is reported."""
    if not any(finding.problem for finding in findings):
        click.echo("a run here is reported")
    for finding in findings:
        kind = "problem" if finding.problem else "warning"
        click.secho(f"{kind}: ", nl=False, fg="red" if finding.problem else "yellow", bold=True)
        click.echo(printable(finding.what))
        if finding.cure:
            click.echo(f"    {printable(finding.cure)}")
    click.echo()


def show_facts(facts: DoctorFacts) -> None:
    """Prints the facts with their sources, and the metadata of the next event."""
    Table(("what", "is", "from"), list_rows(facts)).show()
    if facts.metadata:
        click.echo("\nthe next event would say")
        Table(("field", "value"), [[n, str(v)] for n, v in facts.metadata.items()]).show()


def list_rows(facts: DoctorFacts) -> list[list[str]]:
    """The table's rows: binary, directory, settings, server and journal."""
    binary = facts.binary
    server = facts.endpoint.problem or ("takes the key" if facts.endpoint.asked else "not asked")
    return [
        ["binary", binary.path or "none", binary.version or ""],
        ["directory", facts.directory, f"terraform workspace {facts.tf_workspace}"],
        *([setting.name, setting.value, setting.source] for setting in facts.settings.found),
        ["server", server, facts.endpoint.url],
        ["journal", facts.home.problem or f"{facts.waiting.number} waiting", facts.home.path],
    ]
