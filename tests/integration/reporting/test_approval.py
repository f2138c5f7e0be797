"""Nothing is applied without approval, whatever exit code a wrapper script around terraform
gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.engines import terraform
from support.exhaustive import exhaustive_except
from support.stage import Stage

ONE = 'variable "v" {\n  default = 1\n}\nresource "terraform_data" "a" {\n  input = var.v\n}\n'

NO_CODE_2 = """\
#!/bin/sh
{real} "$@"
code=$?
[ $code = 2 ] && exit 0
exit $code
"""
NO_CODE = """\
#!/bin/sh
{real} "$@" || true
"""
ACTION = """\
#!/usr/bin/env node
// hashicorp/setup-terraform: both streams are taken and passed on; 0 and 2 are both no failure
const {{ spawnSync }} = require('child_process');
const done = spawnSync('{real}', process.argv.slice(2), {{ stdio: ['inherit', 'pipe', 'pipe'] }});
process.stdout.write(done.stdout);
process.stderr.write(done.stderr);
process.exitCode = done.status === 0 || done.status === 2 ? 0 : 1;
"""
WRAPPERS = {"2 is 0": NO_CODE_2, "all is 0": NO_CODE, "setup-terraform": ACTION}
COMMANDS = ["apply", "destroy", "apply -destroy"]


@pytest.fixture(params=exhaustive_except(WRAPPERS, "all is 0"))
def wrapped(stage: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    """A project with one applied resource, in which the `terraform` that is first on PATH is the
    wrapper script."""
    if request.param == "setup-terraform" and not shutil.which("node"):
        pytest.skip("setup-terraform's wrapper needs node")
    stage.write(ONE)
    stage.engine("apply", "-auto-approve")
    wrapper = tmp_path / "wrapper" / "terraform"
    wrapper.parent.mkdir()
    wrapper.write_text(WRAPPERS[request.param].format(real=terraform()))
    wrapper.chmod(0o755)
    stage.env["PATH"] = f"{wrapper.parent}:{stage.env['PATH']}"
    return stage


@pytest.mark.parametrize("command", exhaustive_except(COMMANDS, "apply"))
@pytest.mark.parametrize("typed", exhaustive_except(["no\n", "", "y\n"], "no\n"))
def test_what_is_not_approved_is_not_applied(wrapped: Stage, command: str, typed: str) -> None:
    """Without "yes" the state stays as it was, and the run is reported as `apply_needed` with the
    reason."""
    if command == "apply":
        wrapped.write(ONE + 'resource "terraform_data" "new" {}\n')
    before = wrapped.state()
    events = wrapped.run(*command.split(), stdin=typed.encode())
    assert "Enter a value:" in wrapped.stdout
    assert "complete!" not in wrapped.stdout
    assert wrapped.state() == before
    assert [event.row for event in events] == ["apply_needed plan success"]
    assert events[0].data["approval"] == ("declined" if typed else "eof")


def test_what_is_approved_is_applied_once(wrapped: Stage) -> None:
    """An apply that is approved, by "yes" or `-auto-approve`, is applied and reported once, with
    terraform's counts."""
    start, end = wrapped.run("apply", "-var=v=2", stdin=b"yes\n")
    assert (start.row, end.row, end.counts()) == (
        "provisioning apply",
        "active apply success",
        "c1",
    )
    start, end = wrapped.run("destroy", "-auto-approve")
    assert (end.row, end.counts()) == ("inactive destroy success", "d1")
