"""Arguments from TF_CLI_ARGS_* are on no command line, which every user of the machine can read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import engines
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import Machine

CONFIG = """
variable "secret" {}
resource "terraform_data" "a" { input = var.secret }
"""
RECORDER = """#!/bin/sh
for word; do printf '%s\\n' "$word" >> '{log}'; done
exec '{program}' "$@"
"""


def record(place: Path, name: str, program: Path, log: Path) -> None:
    """Writes a program that logs its arguments and runs `program`."""
    place.mkdir(exist_ok=True)
    (place / name).write_text(RECORDER.format(log=log, program=program))
    (place / name).chmod(0o755)


@pytest.mark.exhaustive
@pytest.mark.parametrize("reader", exhaustive_except(["json", ""], "json"))
@pytest.mark.parametrize("engine", exhaustive_except(["terraform", "tofu"], "terraform"))
def test_the_environment_s_arguments_are_in_no_argv(
    machine: Machine, endpoint: Endpoint, engine: str, reader: str
) -> None:
    """Values in TF_CLI_ARGS_* are on no command line of terraform, git or infracost."""
    project, log = machine.project("project", CONFIG), machine.root / "argv"
    binary = engines.terraform() if engine == "terraform" else engines.opentofu_1_6_2()
    git = shutil.which("git", path=machine.env["PATH"])
    record(machine.root / "bin", "terraform", binary, log)
    record(machine.root / "bin", "git", Path(git or ""), log)
    record(machine.root / "bin", "infracost", Path("/bin/echo"), log)
    (project / "canary dir").mkdir()
    env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT="60", TFEVENTS_PLAN_READER=reader)
    env |= {"PATH": f"{machine.root / 'bin'}:{machine.env['PATH']}", "TFEVENTS_INFRACOST": "1"}
    plan = "'-out=canary dir/canary-plan'"
    env["TF_CLI_ARGS_plan"] = f"-var secret=canary-value {plan}"
    env["TF_CLI_ARGS_apply"] = "'canary dir/canary-plan'"
    for command in ("plan", "apply"):
        done = machine.tf(command, at=project, env=env)
        assert done.returncode == 0, done.stderr
        assert endpoint.events[-1]["metadata"]["resource_counts"]["added"] == 1, done.stderr
    words = log.read_text().splitlines()
    assert {"plan", "apply", "show", "breakdown"} <= set(words)
    assert not [word for word in words if "canary" in word]
