"""Both readers of a plan give the same event; a fact that can't be found is left out, and the event
is still reported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.engines import terraform
from support.exhaustive import exhaustive_except
from support.stage import Event, Stage
from support.standin import script_engine

from tfevents.reporting.saved_plan import read_plan
from tfevents.terraform.client import TerraformClient

BEFORE = """
resource "terraform_data" "same" {}
resource "terraform_data" "gone" {}
resource "terraform_data" "moves" {}
resource "terraform_data" "forgotten" {}
resource "terraform_data" "changes" {
  input = 1
}
resource "terraform_data" "replaced" {
  triggers_replace = 1
}
output "same" {
  value = "x"
}
output "none" {
  value = null
}
output "changes" {
  value = 1
}
output "gone" {
  value     = "secret"
  sensitive = true
}
"""
AFTER = """
resource "terraform_data" "same" {}
resource "terraform_data" "moved" {}
moved {
  from = terraform_data.moves
  to   = terraform_data.moved
}
removed {
  from = terraform_data.forgotten
  lifecycle {
    destroy = false
  }
}
import {
  to = terraform_data.imported
  id = "x"
}
resource "terraform_data" "imported" {}
resource "terraform_data" "new" {}
resource "terraform_data" "changes" {
  input = 2
}
resource "terraform_data" "replaced" {
  triggers_replace = 2
}
data "terraform_remote_state" "later" {
  backend = "local"
  config = {
    path = "${terraform_data.new.id == "" ? "" : "other.tfstate"}"
  }
}
output "same" {
  value = "x"
}
output "none" {
  value = null
}
output "changes" {
  value = 2.50
}
output "unknown" {
  value = terraform_data.new.id
}
"""
OTHER = '{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{}}'
MODES: dict[str, list[str]] = {
    "normal": [],
    "destroy": ["-destroy"],
    "refresh-only": ["-refresh-only"],
    "targeted": ["-target=terraform_data.changes"],
    "not refreshed": ["-refresh=false"],
}
OWN = {"event_id", "run_id", "started_at", "finished_at", "overhead_ms", "serial"}


def told(event: Event) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The row, the metadata and the data of an event, without the members that differ in every
    run."""
    data = {name: value for name, value in event.data.items() if name not in OWN}
    metadata = {n: v for n, v in event.metadata.items() if n != "state_checksum"}
    return event.row, metadata, data


@pytest.mark.exhaustive
@pytest.mark.parametrize("mode", exhaustive_except(MODES, "normal"))
def test_both_readers_tell_the_same(stage: Stage, mode: str) -> None:
    """The plan file and terraform's `show -json` of it give the same event."""
    stage.write(BEFORE)
    stage.write(OTHER, "other.tfstate")
    stage.engine("apply", "-auto-approve")
    part = BEFORE.replace("input = 1", "input = 2")  # a targeted plan must include all moves
    stage.write(part if mode == "targeted" else AFTER)
    planned = [stage.run("plan", *MODES[mode], TFEVENTS_PLAN_READER=r) for r in ("file", "json")]
    assert told(planned[0][0]) == told(planned[1][0])
    stage.engine("plan", "-out=p", *MODES[mode])
    stored = stage.state()
    applied = []
    for reader in ("file", "json"):
        (stage.project / "terraform.tfstate").write_bytes(stored)
        applied.append([told(e) for e in stage.run("apply", "p", TFEVENTS_PLAN_READER=reader)])
    if mode == "targeted":  # only the file has the targets; JSON only says `incomplete`
        partial = [run[-1][2].pop("partial") for run in applied]
        assert partial == ["target", "incomplete"]
        assert applied[0][-1][0] == "active apply success"
    assert applied[0] == applied[1]
    if mode == "normal":
        assert planned[0][0].counts() == "a2 c1 d2 i1 r1 u1"
        assert planned[0][0].counts("output") == "a1 c1 d1 u1"


@pytest.mark.exhaustive
def test_a_plan_that_cannot_be_read_costs_its_counts(stage: Stage, tmp_path: Path) -> None:
    """If neither reader works, the run is reported without the plan's counts, and `missing` names
    the plan; a plan without `-detailed-exitcode` is not reported."""
    script_engine(
        tmp_path / "terraform",
        f"""
if argv[0] == "show":
    sys.exit(1)
os.execv({str(terraform())!r}, ["terraform", *argv])
""",
    )
    env = {"TFEVENTS_PROVISIONER": str(tmp_path / "terraform"), "TFEVENTS_PLAN_READER": "json"}
    stage.write(BEFORE)
    (event,) = stage.run("plan", "-detailed-exitcode", **env)
    assert (event.row, event.counts()) == ("apply_needed plan success", None)
    assert event.data["missing"] == "plan"
    assert stage.run("plan", **env) == []  # whether there is something to apply is not known
    assert "whether there is something to apply is not known" in stage.stderr
    stage.run("plan", "-out=p", **env)
    start, end = stage.run("apply", "p", **env)
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert (end.counts(), end.data["missing"]) == ("a6", "plan")  # counted from the core log
    assert end.metadata["state_checksum"]


@pytest.mark.parametrize("reader", ["", "json"])
def test_a_pipe_is_left_to_its_reader(tmp_path: Path, reader: str) -> None:
    """A plan file that is a FIFO, a directory or missing is neither opened by tfevents nor passed
    to the provisioner, which would block."""
    engine = tmp_path / "terraform"
    script_engine(engine, f"open({str(tmp_path / 'asked')!r}, 'w').close()")
    os.mkfifo(tmp_path / "pipe")
    client = TerraformClient(str(engine), (), {**os.environ, "TFEVENTS_PLAN_READER": reader})
    for name in ("pipe", ".", "missing"):
        assert read_plan(client, str(tmp_path / name)) is None
    assert not (tmp_path / "asked").exists()


@pytest.mark.exhaustive
def test_a_refresh_only_that_cannot_be_read_starts_nothing(stage: Stage, tmp_path: Path) -> None:
    """`apply -refresh-only` has no start event if its plan is not read: whether there is drift to
    accept is not known."""
    stage.write(BEFORE)
    stage.run("apply", "-auto-approve")
    stage.write(BEFORE.replace('"x"', '"y"'))
    events = stage.run("apply", "-refresh-only", "-auto-approve", TFEVENTS_PLAN_READER="none")
    assert [event.row for event in events] == ["active apply success"]


NONSENSE = [
    "say('<html>')",
    'say(\'{"format_version":"2.0"}\')',
    'say(\'{"format_version":"1.2","resource_changes":[\')',
    "os.write(1, bytes(range(256)))",
    "say('{' * 100000)",
]


@pytest.mark.parametrize("answer", exhaustive_except(NONSENSE, "say('<html>')"))
def test_a_plan_in_nonsense_costs_its_counts(stage: Stage, tmp_path: Path, answer: str) -> None:
    """If `show -json` prints something else than a plan, the event is reported without the plan's
    counts."""
    script_engine(
        tmp_path / "terraform",
        f"""
if argv[0] == "show":
    {answer}
    sys.exit(0)
os.execv({str(terraform())!r}, ["terraform", *argv])
""",
    )
    env = {"TFEVENTS_PROVISIONER": str(tmp_path / "terraform"), "TFEVENTS_PLAN_READER": "json"}
    stage.write(BEFORE)
    (event,) = stage.run("plan", "-detailed-exitcode", **env)
    assert (event.counts(), event.data["missing"]) == (None, "plan")
    assert stage.code == 2


@pytest.mark.exhaustive
def test_an_unknown_version_costs_the_version(stage: Stage, tmp_path: Path) -> None:
    """If `version` fails, the provisioner is taken from the core log; without a log it is left out
    of the event."""
    script_engine(
        tmp_path / "terraform",
        f"""
if argv[0] == "version":
    sys.exit(1)
os.execv({str(terraform())!r}, ["terraform", *argv])
""",
    )
    env = {"TFEVENTS_PROVISIONER": str(tmp_path / "terraform")}
    stage.write(BEFORE)
    _, end = stage.run("apply", "-auto-approve", **env)
    assert end.metadata["provisioner"] == "terraform"
    (event,) = stage.run("refresh", **env)
    assert event.row == "active apply success"
    assert "provisioner" not in event.metadata


@pytest.mark.exhaustive
def test_a_plan_of_a_future_terraform_is_shown(stage: Stage, tmp_path: Path) -> None:
    """A plan file that can't be verified is not read by tfevents: `show -json` gives its counts."""
    spoil = "\n".join(
        [
            "import zipfile",
            "def spoil(path):",
            "    with zipfile.ZipFile(path) as zipped:",
            "        parts = {n: zipped.read(n) for n in zipped.namelist()}",
            "    parts['.terraform.lock.hcl'] = b'# another tool'",
            "    with zipfile.ZipFile(path, 'w') as zipped:",
            "        for name, part in parts.items():",
            "            zipped.writestr(name, part)",
        ]
    )
    script_engine(
        tmp_path / "terraform",
        f"""
{spoil}
import subprocess
out = [word.partition("=")[2] for word in argv if word.startswith("-out=")]
code = subprocess.call(["{terraform()}", *argv])
if argv[0] == "plan" and out:
    spoil(out[0])
sys.exit(code)
""",
    )
    stage.write(BEFORE)
    env = {"TFEVENTS_PROVISIONER": str(tmp_path / "terraform")}
    detailed = ("plan", "-detailed-exitcode")
    (refused,) = stage.run(*detailed, TFEVENTS_PLAN_READER="file", **env)
    assert (refused.counts(), refused.data["missing"]) == (None, "plan")
    (event,) = stage.run("plan", **env)
    assert (event.row, event.counts()) == ("apply_needed plan success", "a6")
