"""Every row of the event table (tfevents/events/table.py), from runs of a real terraform."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from pathlib import Path

import pytest
from support.engines import write_executable
from support.exhaustive import exhaustive_except
from support.stage import Stage

ONE = 'resource "terraform_data" "a" {\n  input = 1\n}\n'
TWO = ONE + 'resource "terraform_data" "b" {\n  input = 2\n}\n'
OUTPUT = 'output "o" {\n  value = "x"\n}\n'
FAILS = """
resource "terraform_data" "a" {}
resource "terraform_data" "bad" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "exit 7"
  }
}
"""
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "echo begun; sleep 20"
  }
}
"""
UNDESTROYABLE = """
resource "terraform_data" "a" {}
resource "terraform_data" "kept" {
  provisioner "local-exec" {
    when    = destroy
    command = "exit 3"
  }
}
"""
BREAKS_OFF = """
resource "terraform_data" "b" {
  lifecycle {
    precondition {
      condition     = terraform_data.a.input == 2
      error_message = "no"
    }
  }
}
"""
KILLED = """
resource "terraform_data" "slow" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "sleep 0.3; kill -9 $PPID; sleep 5"
  }
}
"""
MOVED = "moved {\n  from = terraform_data.a\n  to   = terraform_data.z\n}\n"
INVALID = 'resource "terraform_data" "a" {\n  input = nothing.there\n}\n'


def rows(stage: Stage, *words: str, **env: str) -> list[str]:
    """Runs `tf`; returns each event as its row in the event table."""
    return [event.row for event in stage.run(*words, **env)]


def applied(stage: Stage, text: str) -> None:
    """Applies a configuration; asserts that it succeeded."""
    stage.write(text)
    assert rows(stage, "apply", "-auto-approve")[-1] == "active apply success"


# plan


def test_a_plan_with_nothing_to_apply(stage: Stage) -> None:
    """A plan without changes is `plan`, with exact counts and without a state checksum."""
    applied(stage, ONE)
    (event,) = stage.run("plan")
    assert event.row == "plan plan success"
    assert event.counts() == "u1"
    assert event.counts("output") == event.counts("drift") == ""
    assert event.data["counts"] == "exact"
    assert "state_checksum" not in event.metadata


@pytest.mark.parametrize("code", [[], ["-detailed-exitcode"]])
def test_a_plan_with_something_to_apply(stage: Stage, code: list[str]) -> None:
    """A plan with changes is `apply_needed`; the exit code 2 of `-detailed-exitcode` is not a
    failure."""
    stage.write(TWO + OUTPUT)
    (event,) = stage.run("plan", *code)
    assert event.row == "apply_needed plan success"
    assert (event.counts(), event.counts("output")) == ("a2", "a1")
    assert event.metadata["PlannedChangesCount"] == 2
    assert event.metadata["provisioner"] == "terraform"
    assert event.metadata["provisioner_version"].count(".") == 2
    assert event.data["exit_code"] == str(stage.code) == ("2" if code else "0")


@pytest.mark.exhaustive
def test_a_plan_that_only_moves_something(stage: Stage) -> None:
    """A plan that only moves a resource is `apply_needed`, with all counts zero."""
    applied(stage, ONE)
    stage.write(ONE.replace('"a"', '"z"') + MOVED)
    (event,) = stage.run("plan")
    assert (event.row, event.counts()) == ("apply_needed plan success", "")


@pytest.mark.parametrize("mode", exhaustive_except([[], ["-refresh-only"]], []))
def test_a_plan_that_fails(stage: Stage, mode: list[str]) -> None:
    """A failed plan is `failed`, without counts."""
    stage.write(INVALID)
    (event,) = stage.run("plan", *mode)
    kind = "drifted" if mode else "plan"
    assert event.row == f"failed {kind} failure"
    assert event.counts() is None
    assert (event.data["counts"], event.data["exit_code"]) == ("absent", "1")
    assert "missing" not in event.data


def test_a_plan_that_breaks_off_says_so(stage: Stage) -> None:
    """A plan that fails halfway, of which terraform writes a partial plan, is `failed` with the
    counts of that part, marked as partial."""
    stage.write(ONE + BREAKS_OFF)
    (event,) = stage.run("plan")
    assert event.row == "failed plan failure"
    assert (event.counts(), event.data["partial"]) == ("a1", "errored")
    assert event.counts("drift") is None


@pytest.mark.exhaustive
def test_a_plan_that_is_interrupted(stage: Stage, tmp_path: Path) -> None:
    """A plan interrupted by Ctrl-C while it asks for a variable is `failed`, with the signal's
    name."""
    stage.write('variable "v" {}\n' + ONE)
    with stage.sit("plan") as terminal:
        terminal.expect("Enter a value:")
        terminal.interrupt()
        assert terminal.wait() == 1
    (event,) = stage.heard()
    assert event.row == "failed plan failure"
    assert event.data["interrupted"] == "SIGINT"


def test_a_refresh_only_plan_without_drift(stage: Stage) -> None:
    """A refresh-only plan without drift is `plan`, even if terraform exits with 2 because the
    configuration has changed."""
    applied(stage, ONE + OUTPUT)
    stage.write(ONE.replace("1", "2") + OUTPUT.replace('"x"', '"y"'))
    (event,) = stage.run("plan", "-refresh-only", "-detailed-exitcode")
    assert event.row == "plan drifted success"
    assert (event.counts(), event.counts("output")) == ("u1", "c1")
    assert event.counts("drift") == ""
    assert stage.code == 2


# apply


@pytest.mark.exhaustive
@pytest.mark.parametrize("reader", exhaustive_except(["file", "json"], "file"))
def test_a_refresh_only_plan_of_a_part_counts_nothing(stage: Stage, reader: str) -> None:
    """A refresh-only plan with `-target` has no counts, because it lists no objects and did not
    read all of them."""
    applied(stage, TWO)
    part = ("plan", "-refresh-only", "-target=terraform_data.a", "-out=p")
    (event,) = stage.run(*part, TFEVENTS_PLAN_READER=reader)
    assert (event.row, event.counts()) == ("plan drifted success", None)
    (event,) = stage.run("plan", "-refresh-only", TFEVENTS_PLAN_READER=reader)
    assert (event.row, event.counts()) == ("plan drifted success", "u2")


def test_an_apply_that_is_approved(stage: Stage) -> None:
    """An approved apply has a start event and an end event, which share a run id; the end has the
    counts and the stored state's checksum, serial and lineage."""
    stage.write(TWO + OUTPUT)
    with stage.sit("apply") as terminal:
        terminal.expect("Enter a value:")
        terminal.send("yes\n")
        assert terminal.wait() == 0
    start, end = stage.heard()
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert "resource_counts" not in start.metadata
    assert (end.counts(), end.counts("output"), end.counts("drift")) == ("a2", "a1", "")
    stored = stage.state()
    assert end.metadata["state_checksum"] == hashlib.sha256(stored).hexdigest()
    assert end.data["serial"] == str(json.loads(stored)["serial"])
    assert end.data["lineage"] == json.loads(stored)["lineage"]
    assert start.data["run_id"] == end.data["run_id"]
    assert start.data["event_id"] != end.data["event_id"]


@pytest.mark.parametrize("command", exhaustive_except(["apply", "destroy"], "apply"))
@pytest.mark.parametrize(
    ("typed", "approval"),
    exhaustive_except(
        [("no\n", "declined"), ("\x04", "eof"), ("\x03", "interrupted")], ("no\n", "declined")
    ),
)
def test_a_run_that_is_not_approved(stage: Stage, command: str, typed: str, approval: str) -> None:
    """An apply or destroy whose approval is declined, ended or interrupted is `apply_needed`, with
    the counts of its plan."""
    applied(stage, ONE)
    stage.write(TWO)
    with stage.sit(command) as terminal:
        terminal.expect("Enter a value:")
        terminal.send(typed)
        assert terminal.wait() == 1
    (event,) = stage.heard()
    assert event.row == "apply_needed plan success"
    assert event.data["approval"] == approval
    assert event.counts() == ("a1 u1" if command == "apply" else "d1")
    assert event.data["exit_code"] == "1"
    assert "state_checksum" not in event.metadata


def test_an_apply_through_a_pipe_that_says_yes(stage: Stage) -> None:
    """An apply that reads `yes` from a pipe counts as approved."""
    stage.write(ONE)
    start, end = stage.run("apply", stdin=b"yes\n")
    assert (start.row, end.row) == ("provisioning apply", "active apply success")


def test_an_apply_with_nothing_to_do(stage: Stage) -> None:
    """An apply without changes has an end event only."""
    applied(stage, ONE)
    (event,) = stage.run("apply")
    assert (event.row, event.counts()) == ("active apply success", "u1")
    assert event.metadata["PlannedChangesCount"] == 0


def test_an_apply_that_empties_the_state(stage: Stage) -> None:
    """An apply that leaves neither managed resources nor outputs is `inactive`."""
    applied(stage, ONE)
    stage.write("locals {}\n")
    start, end = stage.run("apply", "-auto-approve")
    assert (start.row, end.row) == ("provisioning apply", "inactive apply success")
    assert end.counts() == "d1"


@pytest.mark.exhaustive
def test_an_apply_that_leaves_outputs_only(stage: Stage) -> None:
    """An apply that leaves only an output is `active`."""
    applied(stage, ONE)
    stage.write(OUTPUT)
    assert rows(stage, "apply", "-auto-approve") == ["provisioning apply", "active apply success"]


def test_an_apply_of_nothing_at_all(stage: Stage) -> None:
    """An apply of an empty configuration is `inactive`."""
    stage.write("locals {}\n")
    (event,) = stage.run("apply")
    assert (event.row, event.counts()) == ("inactive apply success", "")


def test_an_apply_that_fails_half_way(stage: Stage) -> None:
    """A failed apply reports what was done beside what was planned; a tainted create does not count
    as added."""
    stage.write(FAILS)
    start, end = stage.run("apply", "-auto-approve")
    assert (start.row, end.row) == ("provisioning apply", "failed apply failure")
    assert end.counts() == "a1"
    assert end.metadata["PlannedChangesCount"] == 1
    assert (end.data["planned_added"], end.data["tainted"]) == ("2", "1")
    assert end.data["exit_code"] == "1"


def test_an_apply_that_is_interrupted(stage: Stage) -> None:
    """An apply interrupted by Ctrl-C is `failed`, with the signal's name and the counts of what was
    done."""
    stage.write(ONE + SLOW)
    with stage.sit("apply", "-auto-approve") as terminal:
        # while a local-exec is being started, one Ctrl-C may be two to terraform itself
        terminal.expect(re.compile(rb"\(local-exec\):\S* \S*begun\r\n"))
        terminal.interrupt()
        assert terminal.wait() == 1
    start, end = stage.heard()
    assert (start.row, end.row) == ("provisioning apply", "failed apply failure")
    assert end.data["interrupted"] == "SIGINT"
    assert (end.counts(), end.data["tainted"]) == ("a1", "1")


@pytest.mark.parametrize("command", exhaustive_except(["apply", "destroy"], "apply"))
def test_a_run_interrupted_while_planning(stage: Stage, command: str) -> None:
    """An apply or destroy interrupted while planning is `failed`, without a start event and without
    counts."""
    stage.write('variable "v" {}\n' + ONE)
    with stage.sit(command) as terminal:
        terminal.expect("Enter a value:")
        terminal.interrupt()
        assert terminal.wait() == 1
    (event,) = stage.heard()
    assert event.row == f"failed {command} failure"
    assert event.counts() is None
    assert event.data["interrupted"] == "SIGINT"


@pytest.mark.parametrize("command", exhaustive_except(["apply", "destroy"], "apply"))
def test_a_run_whose_plan_fails(stage: Stage, command: str) -> None:
    """An apply or destroy whose plan fails has no start event."""
    stage.write(INVALID)
    assert rows(stage, command, "-auto-approve") == [f"failed {command} failure"]


@pytest.mark.exhaustive
def test_an_apply_of_refresh_only_without_drift(stage: Stage) -> None:
    """A refresh-only apply without drift has an end event only."""
    applied(stage, ONE + OUTPUT)
    stage.write(ONE + OUTPUT.replace('"x"', '"y"'))
    (event,) = stage.run("apply", "-refresh-only", "-auto-approve")
    assert event.row == "active apply success"
    assert (event.counts(), event.counts("output"), event.counts("drift")) == ("u1", "c1", "")


# refresh


def test_a_refresh(stage: Stage) -> None:
    """A refresh has an end event only, in the row of an apply, with the state's checksum and
    without counts."""
    applied(stage, ONE)
    (event,) = stage.run("refresh")
    assert event.row == "active apply success"
    assert event.data["counts"] == "absent"
    assert event.metadata["state_checksum"] == hashlib.sha256(stage.state()).hexdigest()


def test_a_refresh_of_nothing(stage: Stage) -> None:
    """A refresh without resources, after which terraform stores an empty state, is `inactive`."""
    stage.write(ONE)
    assert rows(stage, "refresh") == ["inactive apply success"]


def test_a_refresh_that_fails(stage: Stage) -> None:
    """A failed refresh has the row of a failed apply."""
    stage.write(INVALID)
    assert rows(stage, "refresh") == ["failed apply failure"]


# destroy


def test_a_destroy(stage: Stage) -> None:
    """A destroy of everything is `inactive`, with the counts of the destroyed resources and
    outputs."""
    applied(stage, TWO + OUTPUT)
    start, end = stage.run("destroy", "-auto-approve")
    assert (start.row, end.row) == ("destroying destroy", "inactive destroy success")
    assert (end.counts(), end.counts("output")) == ("d2", "d1")
    assert end.counts("drift") is None
    assert "Destroy complete! Resources: 2 destroyed." in stage.stdout


@pytest.mark.exhaustive
def test_an_apply_with_the_destroy_flag(stage: Stage) -> None:
    """`apply -destroy` is reported as a destroy."""
    applied(stage, ONE)
    assert rows(stage, "apply", "-destroy", "-auto-approve") == [
        "destroying destroy",
        "inactive destroy success",
    ]


@pytest.mark.exhaustive
def test_a_targeted_destroy_leaves_something(stage: Stage) -> None:
    """A destroy with `-target` that leaves resources is `active`, with counts marked as partial."""
    applied(stage, TWO)
    start, end = stage.run("destroy", "-auto-approve", "-target=terraform_data.a")
    assert (start.row, end.row) == ("destroying destroy", "active destroy success")
    assert (end.counts(), end.data["partial"]) == ("d1 u1", "target")


def test_a_destroy_of_nothing(stage: Stage) -> None:
    """A destroy without resources has an end event only."""
    stage.write(ONE)
    (event,) = stage.run("destroy")
    assert (event.row, event.counts()) == ("inactive destroy success", "")


@pytest.mark.exhaustive
def test_a_destroy_that_fails(stage: Stage) -> None:
    """A failed destroy counts only the destroyed resources as deleted."""
    applied(stage, UNDESTROYABLE)
    start, end = stage.run("destroy", "-auto-approve")
    assert (start.row, end.row) == ("destroying destroy", "failed destroy failure")
    assert (end.counts(), end.data["planned_deleted"]) == ("d1", "2")
    assert end.data["tainted"] == "0"


# saved plans


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], ["provisioning apply", "active apply success"]),
        pytest.param(
            ["-destroy"],
            ["destroying destroy", "inactive destroy success"],
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(["-refresh-only"], ["active apply success"], marks=pytest.mark.exhaustive),
    ],
)
def test_a_saved_plan_of_each_mode(stage: Stage, flags: list[str], expected: list[str]) -> None:
    """For a saved plan, the mode is the plan's, whatever mode flags its apply has (terraform
    ignores them)."""
    applied(stage, ONE)
    stage.write(TWO)
    (planned,) = stage.run("plan", "-out=p", *flags)
    ignored = [] if flags == ["-destroy"] else ["-destroy", "-refresh=false"]
    events = stage.run("apply", *ignored, "p")
    assert [event.row for event in events] == expected
    assert events[-1].counts() == planned.counts()
    assert "partial" not in events[-1].data


@pytest.mark.exhaustive
def test_a_saved_plan_with_nothing_to_do(stage: Stage) -> None:
    """The apply of a saved plan without changes has an end event only."""
    applied(stage, ONE)
    stage.run("plan", "-out=p")
    (event,) = stage.run("apply", "p")
    assert (event.row, event.counts()) == ("active apply success", "u1")


@pytest.mark.exhaustive
def test_a_saved_plan_that_fails(stage: Stage) -> None:
    """A failed apply of a saved plan counts what was done."""
    stage.write(FAILS)
    stage.run("plan", "-out=p")
    start, end = stage.run("apply", "p")
    assert (start.row, end.row) == ("provisioning apply", "failed apply failure")
    assert (end.counts(), end.data["tainted"]) == ("a1", "1")


@pytest.mark.exhaustive
def test_a_saved_plan_that_was_targeted_says_so(stage: Stage) -> None:
    """The apply of a plan saved with `-target` has counts marked as partial, as the plan file
    says."""
    stage.write(TWO)
    stage.run("plan", "-out=p", "-target=terraform_data.a")
    _, end = stage.run("apply", "p")
    assert (end.counts(), end.data["partial"]) == ("a1", "target")


@pytest.mark.exhaustive
def test_an_errored_plan_cannot_be_applied(stage: Stage) -> None:
    """The apply of an errored plan is `failed`, without a start event."""
    stage.write(ONE + BREAKS_OFF)
    stage.run("plan", "-out=p")
    (event,) = stage.run("apply", "p")
    assert event.row == "failed apply failure"
    assert event.counts() in (None, "")
    assert event.data["partial"] == "errored"


@pytest.mark.exhaustive
def test_a_stale_plan_does_nothing_and_counts_nothing(stage: Stage) -> None:
    """A second apply of the same plan file is `failed`, and does not count what the first one
    did."""
    stage.write(TWO)
    stage.run("plan", "-out=p")
    stage.run("apply", "p")
    events = stage.run("apply", "p")
    assert events[-1].row == "failed apply failure"
    assert events[-1].counts() is None
    assert events[-1].data["planned_added"] == "2"


def test_a_plan_file_that_is_none(stage: Stage) -> None:
    """The apply of a file that is not a plan is `failed`, without counts."""
    stage.write(ONE)
    stage.write("nonsense", "p")
    events = stage.run("apply", "p")
    assert events[-1].row == "failed apply failure"
    assert events[-1].counts() is None


# import


@pytest.mark.exhaustive
def test_an_import(stage: Stage) -> None:
    """An import counts the resource that was added to the state."""
    applied(stage, ONE)
    stage.write(TWO)
    (event,) = stage.run("import", "terraform_data.b", "some-id")
    assert (event.row, event.counts()) == ("active import success", "i1 u1")


@pytest.mark.exhaustive
def test_an_import_that_fails(stage: Stage) -> None:
    """A failed import counts no import."""
    applied(stage, ONE)
    (event,) = stage.run("import", "terraform_data.nowhere", "some-id")
    assert event.row == "failed import failure"
    assert event.counts() == "u1"


# direct mode


@pytest.mark.exhaustive
def test_direct_mode_with_auto_approve(stage: Stage) -> None:
    """In direct mode, where tfevents saves no plan, an apply has start and end events, without
    counts."""
    stage.write(ONE)
    start, end = stage.run("apply", "-auto-approve", TFEVENTS_DIRECT="1")
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert end.counts() is None
    assert end.data["counts"] == "absent"
    assert end.metadata["state_checksum"] == hashlib.sha256(stage.state()).hexdigest()


@pytest.mark.exhaustive
def test_direct_mode_that_terraform_asked_in(stage: Stage) -> None:
    """In direct mode, where terraform itself asks for approval, an apply is reported if it
    succeeds, and not if it was declined."""
    stage.write(ONE)
    assert rows(stage, "apply", TFEVENTS_DIRECT="1") == []
    (event,) = stage.run("apply", stdin=b"yes\n", TFEVENTS_DIRECT="1")
    assert event.row == "active apply success"


@pytest.mark.exhaustive
def test_direct_mode_that_failed_is_told_by_the_state(stage: Stage) -> None:
    """In direct mode, an apply that exits with 1 is `failed` if the state was written; otherwise it
    may have been declined."""
    stage.write(FAILS)
    (event,) = stage.run("apply", stdin=b"yes\n", TFEVENTS_DIRECT="1")
    assert (event.row, event.counts()) == ("failed apply failure", None)


@pytest.mark.exhaustive
def test_direct_destroy(stage: Stage) -> None:
    """In direct mode, a destroy that leaves an empty state is `inactive`."""
    applied(stage, ONE)
    assert rows(stage, "destroy", "-auto-approve", TFEVENTS_DIRECT="1") == [
        "destroying destroy",
        "inactive destroy success",
    ]


@pytest.mark.exhaustive
def test_direct_destroy_that_terraform_asked_in_and_failed(stage: Stage) -> None:
    """In direct mode, a destroy that exits with 1 is `failed` if the state was written."""
    applied(stage, UNDESTROYABLE)
    (event,) = stage.run("destroy", stdin=b"yes\n", TFEVENTS_DIRECT="1")
    assert event.row == "failed destroy failure"


def test_an_apply_that_speaks_json(stage: Stage) -> None:
    """An apply with `-json` is reported like any other, and its output stays valid JSON lines."""
    stage.write(ONE)
    start, end = stage.run("apply", "-json", "-auto-approve")
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert end.counts() == "a1"
    assert [json.loads(line) for line in stage.stdout.splitlines()]


def test_a_plan_that_speaks_json_is_counted(stage: Stage) -> None:
    """A plan with `-json` has counts, because `-json` and `-out` can be combined."""
    stage.write(ONE)
    (event,) = stage.run("plan", "-json")
    assert (event.row, event.counts()) == ("apply_needed plan success", "a1")


@pytest.mark.exhaustive
def test_direct_refresh_only_starts_nothing(stage: Stage) -> None:
    """In direct mode, a refresh-only apply has no start event, because it is unknown whether there
    is drift."""
    applied(stage, ONE)
    assert rows(stage, "apply", "-refresh-only", "-auto-approve", TFEVENTS_DIRECT="1") == [
        "active apply success"
    ]


# cloud backends


@pytest.mark.exhaustive
def test_a_backend_in_the_cloud_is_given_nothing(stage: Stage, tmp_path: Path) -> None:
    """With the backend `remote`, which refuses `-out`, terraform gets the arguments unchanged."""
    stage.write(ONE)
    backend = {"version": 3, "backend": {"type": "remote", "config": {"token": "t0ken"}}}
    stage.write(json.dumps(backend), ".terraform/terraform.tfstate")
    noted = tmp_path / "noted"
    script = f"""\
import os, sys
open({str(noted)!r}, "a").write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1:2] == ["version"]:
    print("Terraform v1.11.4")
"""
    write_executable(tmp_path / "terraform", script)
    env = {"TFEVENTS_PROVISIONER": str(tmp_path / "terraform")}
    assert rows(stage, "plan", **env) == []  # unknown whether there are changes
    assert rows(stage, "apply", "-auto-approve", **env) == ["provisioning apply"]
    lines = noted.read_text().splitlines()
    assert "plan" in lines
    assert "apply -auto-approve" in lines
    assert not any("-out" in line for line in lines)


# killed


def test_a_terraform_that_is_killed(stage: Stage) -> None:
    """An apply whose terraform is killed is `failed`, with the signal's name and without counts."""
    stage.write(ONE + KILLED)
    start, end = stage.run("apply", "-auto-approve")
    assert stage.code == -signal.SIGKILL
    assert (start.row, end.row) == ("provisioning apply", "failed apply failure")
    assert end.data["interrupted"] == "SIGKILL"
    assert end.data["exit_code"] == "137"
    assert end.counts() is None
