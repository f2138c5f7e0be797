"""Engines that can't be installed, replayed from recordings: OpenTofu 1.13-dev, Terraform 1.17-dev,
and engines that write no core log."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engines import clean_env
from support.exhaustive import exhaustive_except
from support.stage import Stage, settings
from support.standin import OPENTOFU, TERRAFORM, script_engine, standin

FAILED = "failed apply failure"

PLANS = {  # scenario → resources, outputs
    "create": ("a2", "a1"),
    "delete": ("d1 u1", ""),
    "destroy": ("d2", "d1"),
    "forget": ("r1 u1", ""),
    "move": ("", ""),
    "noop": ("u1", "u1"),
    "replace": ("a1 d1", ""),
    "update": ("c1 u1", "c1"),
}


def on_stage(tmp_path: Path, engine: Path) -> Stage:
    """A project for this engine."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir(exist_ok=True)
    env = {**clean_env(home, engine), **settings(home)}
    stage = Stage(project, {**env, "TFEVENTS_PROVISIONER": engine.name})
    stage.write("# replayed\n")
    return stage


@pytest.mark.exhaustive
@pytest.mark.parametrize("reader", ["file", "json"])
@pytest.mark.parametrize("engine", ["tofu", "terraform"])
@pytest.mark.parametrize("scenario", exhaustive_except(PLANS, "forget"))
def test_plans_of_newer_engines(tmp_path: Path, scenario: str, engine: str, reader: str) -> None:
    """A plan of a newer engine has the expected counts, whether its plan file or its `show -json`
    is read."""
    folder = (OPENTOFU if engine == "tofu" else TERRAFORM) / scenario
    stage = on_stage(tmp_path, standin(folder, tmp_path / engine).path)
    (planned,) = stage.run("plan", "-out=p", TFEVENTS_PLAN_READER=reader)
    assert (planned.counts(), planned.counts("output")) == PLANS[scenario]


@pytest.mark.parametrize("scenario", exhaustive_except(["create", "delete", "update"], "update"))
def test_an_engine_without_a_log(tmp_path: Path, scenario: str) -> None:
    """Without a core log an apply has no counts, except that of a saved plan, whose counts are the
    plan's unless they depend on values that were unknown."""
    made = standin(TERRAFORM / scenario, tmp_path / "terraform")
    stage = on_stage(tmp_path, made.path)
    (end,) = stage.run("apply", "-auto-approve")
    assert (end.row, end.counts(), end.data["counts"]) == ("active apply success", None, "absent")
    stage.run("plan", "-out=p")
    (end,) = stage.run("apply", "p")
    known = None if scenario == "update" else PLANS[scenario][0]
    assert (end.row, end.counts()) == ("active apply success", known)


def dying(tmp_path: Path, scenario: str) -> Stage:
    """A project for an OpenTofu that is killed during its apply, and whose state is empty
    afterwards."""
    made = standin(OPENTOFU / scenario, tmp_path / "inner" / "tofu")
    script_engine(
        tmp_path / "tofu",
        f"""
if argv[0] in ("apply", "destroy"):
    open({str(made.applied)!r}, "w").close()
    die(signal.SIGKILL)
if argv[:2] == ["state", "pull"] and os.path.exists({str(made.applied)!r}):
    sys.exit(0)
os.execv({str(made.path)!r}, ["tofu", *argv])
""",
    )
    return on_stage(tmp_path, tmp_path / "tofu")


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    """The test's directory, with a directory `inner` for the recorded engine."""
    (tmp_path / "inner").mkdir()
    return tmp_path


@pytest.mark.exhaustive
@pytest.mark.parametrize(("scenario", "command"), [("create", "apply"), ("destroy", "destroy")])
def test_an_opentofu_killed_in_mid_apply(inner: Path, scenario: str, command: str) -> None:
    """After an OpenTofu was killed during an apply, the event has no counts and no facts of the
    state, and does not say that the state is empty."""
    stage = dying(inner, scenario)
    (end,) = stage.run(command, "-auto-approve")
    assert stage.code == -9
    assert (end.row, end.counts()) == (f"failed {command} failure", None)
    assert "state_checksum" not in end.metadata
    assert not end.data.keys() & {"serial", "lineage", "tainted"}
    assert end.data["interrupted"] == "SIGKILL"
    assert "state" in end.data["missing"]


@pytest.mark.exhaustive
def test_an_opentofu_killed_at_a_saved_plan(inner: Path) -> None:
    """After an OpenTofu was killed while it applied a saved plan, the event has no counts and no
    serial."""
    stage = dying(inner, "create")
    stage.run("plan", "-out=p")
    (end,) = stage.run("apply", "p")
    assert (end.row, end.counts()) == (FAILED, None)
    assert "serial" not in end.data


@pytest.mark.exhaustive
def test_an_opentofu_that_cannot_show_its_plan(inner: Path) -> None:
    """If `tofu show` fails, as in OpenTofu 1.13 for a plan with an ephemeral resource, the plan
    file is read; with the reader `json` nothing is reported."""
    made = standin(OPENTOFU / "update", inner / "inner" / "tofu")
    script_engine(
        inner / "tofu",
        f"""
if argv[0] == "show":
    sys.exit(1)
os.execv({str(made.path)!r}, ["tofu", *argv])
""",
    )
    stage = on_stage(inner, inner / "tofu")
    (event,) = stage.run("plan")
    assert (event.row, event.counts()) == ("apply_needed plan success", "c1 u1")
    assert stage.run("plan", TFEVENTS_PLAN_READER="json") == []  # no plan, so no event
