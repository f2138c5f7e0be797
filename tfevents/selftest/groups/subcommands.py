"""Checks that every subcommand prints the same bytes and exits with the same code when wrapped."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import partial

from tfevents.selftest.check import Check
from tfevents.selftest.commands import compare_results
from tfevents.selftest.scratch import Project, Scratch

CONFIGURATION = {
    "main.tf": """\
variable "v" { default = "d" }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { input = terraform_data.a.output }
output "o" { value = terraform_data.b.output }
"""
}
HELP_LINE = re.compile(r"^ {2}([a-z][a-z0-9-]*) {2,}\S", re.MULTILINE)
COMMAND_LINES = """\
init
validate
fmt -check
plan
plan -detailed-exitcode
plan -json
plan -out=saved
show saved
apply saved
apply saved
plan
apply -auto-approve -var=v=2
plan -detailed-exitcode -var=v=2
apply -var=v=3
show
show -json
output
output -json
output nope
state list
state pull
state show terraform_data.a
taint terraform_data.a
untaint terraform_data.a
graph
providers
get
refresh -var=v=2
workspace list
workspace new other
workspace show
workspace select default
workspace delete other
force-unlock -force nope
import terraform_data.a nope
metadata functions -json
test
plan -no-color -refresh=false
plan -bogus
apply nope
destroy -auto-approve -target=terraform_data.b
destroy -auto-approve
destroy -auto-approve
-version
version
-help
-chdir=nope plan
bogus

"""
"""Command lines, run one after the other in one project; the last one has no arguments."""
STDIN = {"apply -var=v=3": b"no\n"}


def list_checks(scratch: Scratch) -> Iterator[Check]:
    """The checks: COMMAND_LINES in two copies of a project, then each subcommand's help."""
    pair = (
        scratch.make_uninitialised_project(CONFIGURATION),
        scratch.make_uninitialised_project(CONFIGURATION),
    )
    for line in COMMAND_LINES.splitlines():
        yield Check("commands", line or "(no command)", partial(_compare, scratch, pair, line))
    console = partial(_compare, scratch, pair, "console", b"1 + 1\n")
    yield Check("commands", "console", console)
    for name in list_subcommands(scratch, pair[0]):
        line = f"{name} -help"
        yield Check("commands", line, partial(_compare, scratch, pair, line))


def list_subcommands(scratch: Scratch, project: Project) -> list[str]:
    """The subcommands that the binary's own help lists."""
    output = scratch.run_bare(project, "-help")
    return HELP_LINE.findall(output.stdout.decode(errors="replace"))


def _compare(
    scratch: Scratch, pair: tuple[Project, Project], line: str, stdin: bytes | None = None
) -> None:
    words = shlex.split(line)
    text = STDIN.get(line, b"") if stdin is None else stdin
    bare = scratch.run_bare(pair[0], *words, stdin=text)
    wrapped = scratch.run_wrapped(pair[1], *words, stdin=text)
    compare_results(bare, wrapped, ordered=line != "graph")
