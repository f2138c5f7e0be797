"""Which facts of the state are reported and which are left out: Harness schedules automatic
destruction by `inactive`, so that must not be wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engines import terraform
from support.exhaustive import exhaustive_except
from support.stage import Event, Stage
from support.standin import script_engine
from support.statestore import StateStore

ONE = 'resource "terraform_data" "a" {\n  input = 1\n}\n'
TWO = ONE + 'resource "terraform_data" "b" {\n  input = 2\n}\n'
FAILS = """
resource "terraform_data" "bad" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "exit 7"
  }
}
"""
FACTS = ("serial", "lineage")


@pytest.fixture
def store() -> Iterator[StateStore]:
    """A running state backend."""
    with StateStore() as running:
        yield running


def assert_no_state_facts(event: Event) -> None:
    """Asserts that the event has no checksum, serial and lineage, and that `missing` names the
    state."""
    assert "state_checksum" not in event.metadata
    assert not event.data.keys() & set(FACTS)
    assert event.data["missing"] == "state"


@pytest.mark.exhaustive
def test_another_state_file_is_not_looked_at(stage: Stage) -> None:
    """With `-state=FILE` no facts of the state are reported: `state pull` reads another file."""
    stage.write(TWO)
    flag = "-state=other.tfstate"
    start, end = stage.run("apply", "-auto-approve", flag)
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert end.counts() == "a2"
    assert_no_state_facts(end)
    (end,) = stage.run("apply", "-auto-approve", flag)
    assert (end.row, end.counts()) == ("active apply success", "u2")


@pytest.mark.exhaustive
def test_a_targeted_destroy_of_another_state(stage: Stage) -> None:
    """After a targeted destroy with `-state=FILE` no end event is reported, because it is not known
    whether the state is empty."""
    stage.write(TWO)
    flag = "-state=other.tfstate"
    stage.run("apply", "-auto-approve", flag)
    (start,) = stage.run("destroy", "-auto-approve", flag, "-target=terraform_data.a")
    assert start.row == "destroying destroy"
    assert "what its state holds is not known" in stage.stderr


@pytest.mark.exhaustive
def test_another_state_file_destroyed_to_its_end(stage: Stage) -> None:
    """A complete destroy with `-state=FILE` is reported as `inactive`: its plan had all objects,
    and all were destroyed."""
    stage.write(TWO)
    flag = "-state=other.tfstate"
    stage.run("apply", "-auto-approve", flag)
    _, end = stage.run("destroy", "-auto-approve", flag)
    assert (end.row, end.counts()) == ("inactive destroy success", "d2")
    assert_no_state_facts(end)


@pytest.mark.exhaustive
def test_another_state_file_that_fails(stage: Stage) -> None:
    """A failed apply with `-state=FILE` has no counts, only what was planned."""
    stage.write(ONE + FAILS)
    _, end = stage.run("apply", "-auto-approve", "-state=other.tfstate")
    assert (end.row, end.counts()) == ("failed apply failure", None)
    assert end.data["planned_added"] == "2"
    assert_no_state_facts(end)


@pytest.mark.exhaustive
def test_an_import_into_another_state_file(stage: Stage) -> None:
    """An import with `-state=FILE` has no counts."""
    stage.write(ONE)
    (end,) = stage.run("import", "-state=other.tfstate", "terraform_data.a", "x")
    assert (end.row, end.counts()) == ("active import success", None)


def test_a_remote_state(stage: Stage, store: StateStore) -> None:
    """Serial and lineage of a remote state are those that the backend stores."""
    stage.write(store.block + TWO)
    stage.engine("init")
    start, end = stage.run("apply", "-auto-approve")
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    stored = json.loads(store.state)
    assert (end.data["serial"], end.data["lineage"]) == (str(stored["serial"]), stored["lineage"])
    _, end = stage.run("destroy", "-auto-approve")
    assert end.row == "inactive destroy success"


@pytest.mark.exhaustive
def test_a_remote_state_that_fails_half_way(stage: Stage, store: StateStore) -> None:
    """A failed apply with a remote state has the counts of the changes that were completed."""
    stage.write(store.block + ONE + FAILS)
    stage.engine("init")
    _, end = stage.run("apply", "-auto-approve")
    assert (end.counts(), end.data["tainted"]) == ("a1", "1")


@pytest.mark.exhaustive
def test_a_remote_state_that_is_stale(stage: Stage, store: StateStore) -> None:
    """A saved plan that is stale, because of another apply, is reported as failed and without
    counts."""
    stage.write(store.block + TWO)
    stage.engine("init")
    stage.run("plan", "-out=p")
    stage.engine("apply", "-auto-approve")
    end = stage.run("apply", "p")[-1]
    assert "Saved plan is stale" in stage.stderr
    assert (end.row, end.counts()) == ("failed apply failure", None)


@pytest.mark.exhaustive
def test_a_state_that_could_not_be_stored_is_not_believed(stage: Stage, store: StateStore) -> None:
    """If terraform could not store the state and left errored.tfstate, the stored state is
    outdated, so the event has neither counts nor facts of the state."""
    stage.write(store.block + ONE)
    stage.engine("init")
    stage.run("apply", "-auto-approve")
    stage.write(store.block + TWO)
    store.refuses = store.writes
    _, end = stage.run("apply", "-auto-approve")
    assert (stage.project / "errored.tfstate").exists()
    assert (end.row, end.counts()) == ("failed apply failure", None)
    assert_no_state_facts(end)


@pytest.mark.exhaustive
def test_an_old_errored_state_is_no_matter(stage: Stage, store: StateStore) -> None:
    """An errored.tfstate of an earlier run does not affect this run's facts."""
    stage.write(store.block + TWO)
    stage.engine("init")
    stage.write("{}", "errored.tfstate")
    os.utime(stage.project / "errored.tfstate", (1, 1))
    _, end = stage.run("apply", "-auto-approve")
    assert "serial" in end.data


def lying(stage: Stage, path: Path, store: StateStore, answer: str) -> dict[str, str]:
    """The environment for a terraform whose `state pull` runs `answer` instead; all other commands
    are the real terraform's. The state is stored remotely, so that only `state pull` could read
    it."""
    stage.write(store.block, "backend.tf")
    stage.engine("init")
    script_engine(
        path / "terraform",
        f"""
if argv[:2] == ["state", "pull"]:
    {answer}
os.execv({str(terraform())!r}, ["terraform", *argv])
""",
    )
    return {"TFEVENTS_PROVISIONER": str(path / "terraform")}


ANSWERS = {
    "nothing": "sys.exit(0)",
    "failure": "sys.exit(1)",
    "blank": "say(''); say(''); sys.exit(0)",
    "nonsense": "say('<html>'); sys.exit(0)",
    "cut off": 'say(\'{"version":4,"serial":9,"lineage":"x","resources":[\'); sys.exit(0)',
    "not text": "os.write(1, bytes(range(256))); sys.exit(0)",
    "killed": "os.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize("answer", exhaustive_except(ANSWERS, "failure"))
def test_a_state_that_cannot_be_had(
    stage: Stage, store: StateStore, tmp_path: Path, answer: str
) -> None:
    """If the state can't be pulled, a successful apply is reported by its plan, and a failed one
    has no counts."""
    env = lying(stage, tmp_path, store, ANSWERS[answer])
    stage.write(TWO)
    start, end = stage.run("apply", "-auto-approve", **env)
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert end.counts() == "a2"
    assert_no_state_facts(end)
    stage.write(TWO.replace("1", "3") + FAILS)
    _, end = stage.run("apply", "-auto-approve", **env)
    assert (end.row, end.counts()) == ("failed apply failure", None)
    assert_no_state_facts(end)


@pytest.mark.exhaustive
@pytest.mark.parametrize("answer", exhaustive_except(["nothing", "failure"], "failure"))
def test_a_destroyed_state_that_cannot_be_had(
    stage: Stage, store: StateStore, tmp_path: Path, answer: str
) -> None:
    """If the state can't be pulled, a complete destroy is reported as `inactive`, and a targeted
    one has no end event."""
    env = lying(stage, tmp_path, store, ANSWERS[answer])
    stage.write(TWO)
    stage.run("apply", "-auto-approve")
    (start,) = stage.run("destroy", "-auto-approve", "-target=terraform_data.a", **env)
    assert start.row == "destroying destroy"
    _, end = stage.run("destroy", "-auto-approve", **env)
    assert (end.row, end.counts()) == ("inactive destroy success", "d1")


@pytest.mark.exhaustive
@pytest.mark.parametrize("answer", exhaustive_except(["nothing", "failure"], "failure"))
def test_a_direct_run_whose_state_cannot_be_had(
    stage: Stage, store: StateStore, tmp_path: Path, answer: str
) -> None:
    """With TFEVENTS_DIRECT and a state that can't be pulled, there is neither plan nor state, so no
    end event is reported."""
    env = {**lying(stage, tmp_path, store, ANSWERS[answer]), "TFEVENTS_DIRECT": "1"}
    stage.write(ONE)
    events = stage.run("apply", "-auto-approve", **env)
    assert [event.row for event in events] == ["provisioning apply"]
    assert stage.run("refresh", **env) == []


@pytest.mark.exhaustive
def test_a_saved_destroy_of_a_part_never_empties(
    stage: Stage, store: StateStore, tmp_path: Path
) -> None:
    """A saved targeted destroy is not reported as `inactive`, even if the state can't be pulled and
    only the plan file shows the target."""
    env = lying(stage, tmp_path, store, ANSWERS["nothing"])
    stage.write(TWO)
    stage.run("apply", "-auto-approve")
    stage.run("plan", "-destroy", "-target=terraform_data.a", "-out=p")
    for reader in ("json", "file"):
        copied = store.state
        start, end = stage.run("apply", "p", TFEVENTS_PLAN_READER=reader, **env)
        assert (start.row, end.row) == ("destroying destroy", "active destroy success")
        store.state = copied


@pytest.mark.exhaustive
def test_a_workspace_has_a_state_of_its_own(stage: Stage) -> None:
    """Facts of the state are those of the selected workspace."""
    stage.write(ONE)
    stage.run("apply", "-auto-approve")
    stage.engine("workspace", "new", "blue")
    stage.write(TWO)
    _, end = stage.run("apply", "-auto-approve")
    assert (end.counts(), end.data["tf_workspace"]) == ("a2", "blue")
    stored = json.loads((stage.project / "terraform.tfstate.d/blue/terraform.tfstate").read_text())
    assert end.data["lineage"] == stored["lineage"]


def test_another_directory(stage: Stage) -> None:
    """With `-chdir`, counts and facts are those of that directory."""
    stage.write(ONE + FAILS, "sub/main.tf")
    _, end = stage.run("-chdir=sub", "apply", "-auto-approve")
    assert (end.counts(), end.data["tainted"]) == ("a1", "1")


@pytest.mark.exhaustive
def test_a_backup_elsewhere_moves_no_state(stage: Stage) -> None:
    """With `-backup=FILE` the facts of the state are reported as without it."""
    stage.write(TWO)
    _, end = stage.run("apply", "-auto-approve", "-backup=old.tfstate")
    assert (end.row, end.counts()) == ("active apply success", "a2")
    assert end.metadata["state_checksum"]
    assert end.data.keys() >= set(FACTS)
