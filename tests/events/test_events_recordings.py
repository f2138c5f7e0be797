"""What no package carries yet, replayed: OpenTofu 1.13-dev and its stream, Terraform 1.17-dev."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rig.endpoint import Endpoint
from rig.engines import clean_env
from rig.standin import OPENTOFU, TERRAFORM, Standin, script_engine, standin
from stage import Stage, settings

NOTHING = "active apply success"
STARTED = "provisioning apply"
DESTROYING = "destroying destroy"
DESTROYED = "inactive destroy success"
FAILED = "failed apply failure"

# scenario → the rows, resources, outputs
APPLIES = {
    "create": ([STARTED, "active apply success"], "a2", "a1"),
    "delete": ([STARTED, "active apply success"], "d1 u1", ""),
    "forget": ([STARTED, "active apply success"], "r1 u1", ""),
    "modules": ([STARTED, "active apply success"], "a2", ""),
    "move": ([STARTED, "active apply success"], "", ""),
    "noop": ([NOTHING], "u1", "u1"),
    "replace": ([STARTED, "active apply success"], "a1 d1", ""),
    "update": ([STARTED, "active apply success"], "c1 u1", "c1"),
    "fails_half_way": ([STARTED, FAILED], "a1", None),
    "plan_fails": ([FAILED], None, None),
}
DESTROYS = {
    "destroy": ([DESTROYING, DESTROYED], "d2", "d1"),
    "destroy_forget": ([DESTROYING, DESTROYED], "d1 r1", ""),
}


def on_stage(endpoint: Endpoint, tmp_path: Path, engine: Path) -> Stage:
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir(exist_ok=True)
    env = {**clean_env(home, engine), **settings(endpoint, home)}
    stage = Stage(endpoint, project, {**env, "TFEVENTS_PROVISIONER": engine.name})
    stage.write("# replayed\n")
    return stage


def opentofu(
    endpoint: Endpoint, tmp_path: Path, scenario: str, after: Path | None = None
) -> tuple[Stage, Standin]:
    made = standin(OPENTOFU / scenario, tmp_path / "tofu", state_after=after, waits=True)
    return on_stage(endpoint, tmp_path, made.path), made


@pytest.mark.parametrize("scenario", APPLIES)
def test_opentofu_1_13_applies(endpoint: Endpoint, tmp_path: Path, scenario: str) -> None:
    """Not split: counts from its own stream, what stayed from the state."""
    rows, resources, outputs = APPLIES[scenario]
    stage, made = opentofu(endpoint, tmp_path, scenario)
    events = stage.run("apply", "-auto-approve")
    assert [event.row for event in events] == rows
    end = events[-1]
    assert (end.counts(), end.counts("output")) == (resources, outputs)
    assert end.counts("drift") is None
    assert end.metadata["provisioner"] == "opentofu"
    assert end.metadata["provisioner_version"] == "1.13.0-dev"
    applies = [i["argv"] for i in made.invocations if i["argv"][0] == "apply"]
    assert [a[0] for a in applies] == ["apply"]
    assert any(word.startswith("-json-into=") for word in applies[0])
    assert not any(i["argv"][0] == "plan" for i in made.invocations)


@pytest.mark.parametrize("scenario", DESTROYS)
@pytest.mark.parametrize("command", [("destroy",), ("apply", "-destroy")])
def test_opentofu_1_13_destroys(
    endpoint: Endpoint, tmp_path: Path, scenario: str, command: tuple[str, ...]
) -> None:
    """Its exit code 1 for what it forgot stands; everything was done, so the state is empty."""
    rows, resources, outputs = DESTROYS[scenario]
    stage, _ = opentofu(endpoint, tmp_path, scenario)
    events = stage.run(*command, "-auto-approve")
    assert [event.row for event in events] == rows
    assert (events[-1].counts(), events[-1].counts("output")) == (resources, outputs)
    assert events[-1].data["exit_code"] == str(stage.code)
    assert stage.code == (1 if scenario == "destroy_forget" else 0)


def test_opentofu_1_13_excludes(endpoint: Endpoint, tmp_path: Path) -> None:
    """What was left aside is not counted as unchanged, as in a plan of a part."""
    stage, _ = opentofu(endpoint, tmp_path, "exclude")
    end = stage.run("apply", "-auto-approve", "-exclude=terraform_data.a")[-1]
    assert (end.row, end.counts()) == ("active apply success", "c1")
    assert end.data["partial"] == "exclude"


def test_opentofu_1_13_refreshes_only(endpoint: Endpoint, tmp_path: Path) -> None:
    """No drift, no start."""
    stage, _ = opentofu(endpoint, tmp_path, "refresh_only")
    (end,) = stage.run("apply", "-refresh-only", "-auto-approve")
    assert (end.row, end.counts()) == ("active apply success", "u1")


def test_a_failed_apply_says_what_was_planned(endpoint: Endpoint, tmp_path: Path) -> None:
    """As for terraform: planned beside done, and what is tainted."""
    stage, _ = opentofu(endpoint, tmp_path, "fails_half_way")
    end = stage.run("apply", "-auto-approve")[-1]
    assert (end.data["planned_added"], end.data["tainted"]) == ("3", "1")
    assert end.data["exit_code"] == "1"


@pytest.mark.parametrize(
    ("typed", "approval"), [("no\n", "declined"), ("\x04", "eof"), ("\x03", "interrupted")]
)
def test_opentofu_1_13_asks_by_itself(
    endpoint: Endpoint, tmp_path: Path, typed: str, approval: str
) -> None:
    """Its own prompt; how it ended is in its stream, and so is what is planned."""
    stage, _ = opentofu(endpoint, tmp_path, "prompt_approved")
    with stage.sit("apply") as terminal:
        terminal.expect("Enter a value:")
        terminal.send(typed)
        assert terminal.wait() == 1
    (event,) = stage.heard()
    assert event.row == "apply_needed plan success"
    assert event.data["approval"] == approval
    assert event.counts() == "a1"


def test_opentofu_1_13_is_told_yes(endpoint: Endpoint, tmp_path: Path) -> None:
    """The start event comes when it begins to change things."""
    after = OPENTOFU / "noop" / "state_after.json"
    stage, _ = opentofu(endpoint, tmp_path, "prompt_approved", after)
    with stage.sit("apply") as terminal:
        terminal.expect("Enter a value:")
        assert stage.heard() == []
        terminal.send("yes\n")
        assert terminal.wait() == 0
    start, end = stage.heard()
    assert (start.row, end.row) == ("provisioning apply", "active apply success")
    assert (end.counts(), end.counts("output")) == ("a1", "a1")


RECORDED_PLANS = ["create", "delete", "destroy", "forget", "move", "noop", "replace", "update"]


@pytest.mark.parametrize("reader", ["file", "json"])
@pytest.mark.parametrize("engine", ["tofu", "terraform"])
@pytest.mark.parametrize("scenario", RECORDED_PLANS)
def test_saved_plans_of_newer_engines(
    endpoint: Endpoint, tmp_path: Path, scenario: str, engine: str, reader: str
) -> None:
    """Planned and applied in two steps, by either reader, whatever wrote them."""
    folder = (OPENTOFU if engine == "tofu" else TERRAFORM) / scenario
    stage = on_stage(endpoint, tmp_path, standin(folder, tmp_path / engine).path)
    (planned,) = stage.run("plan", "-out=p", TFEVENTS_PLAN_READER=reader)
    end = stage.run("apply", "p", TFEVENTS_PLAN_READER=reader)[-1]
    assert planned.counts() == end.counts() == (APPLIES | DESTROYS)[scenario][1]
    assert planned.counts("output") == (APPLIES | DESTROYS)[scenario][2]
    assert end.row == ((APPLIES | DESTROYS)[scenario][0])[-1]


def test_a_saved_destroy_that_forgets(endpoint: Endpoint, tmp_path: Path) -> None:
    """OpenTofu's 1 without a stream: the state says that everything was done."""
    stage, _ = opentofu(endpoint, tmp_path, "destroy_forget")
    stage.run("plan", "-destroy", "-out=p")
    start, end = stage.run("apply", "p")
    assert (start.row, end.row) == ("destroying destroy", "inactive destroy success")
    assert (end.counts(), end.data["exit_code"], stage.code) == ("d1 r1", "1", 1)


TERRAFORM_APPLIES = {
    name: APPLIES[name] for name in APPLIES if name not in ("fails_half_way", "plan_fails")
}


@pytest.mark.parametrize("scenario", TERRAFORM_APPLIES)
def test_terraform_1_17_applies(endpoint: Endpoint, tmp_path: Path, scenario: str) -> None:
    """Split like every terraform."""
    rows, resources, outputs = TERRAFORM_APPLIES[scenario]
    made = standin(TERRAFORM / scenario, tmp_path / "terraform")
    stage = on_stage(endpoint, tmp_path, made.path)
    events = stage.run("apply", "-auto-approve")
    assert [event.row for event in events] == rows
    assert (events[-1].counts(), events[-1].counts("output")) == (resources, outputs)
    assert events[-1].metadata["provisioner_version"] == "1.17.0-dev"


def test_terraform_1_17_fails_half_way(endpoint: Endpoint, tmp_path: Path) -> None:
    """Reconciled from its plan file and its state."""
    made = standin(TERRAFORM / "fails_half_way", tmp_path / "terraform")
    stage = on_stage(endpoint, tmp_path, made.path)
    _, end = stage.run("apply", "-auto-approve")
    assert (end.row, end.counts(), end.data["tainted"]) == (FAILED, "a1", "1")


def test_terraform_1_17_forgets(endpoint: Endpoint, tmp_path: Path) -> None:
    """A destroy that forgets is a whole destroy."""
    made = standin(TERRAFORM / "destroy_forget", tmp_path / "terraform")
    stage = on_stage(endpoint, tmp_path, made.path)
    _, end = stage.run("destroy", "-auto-approve")
    assert (end.row, end.counts()) == (DESTROYED, "d1 r1")


def dying(endpoint: Endpoint, tmp_path: Path, scenario: str, lines: int) -> Stage:
    """An OpenTofu that is killed after so many lines of its apply; its state file is empty."""
    made = standin(OPENTOFU / scenario, tmp_path / "inner" / "tofu")
    script_engine(
        tmp_path / "tofu",
        f"""
if argv[0] in ("apply", "destroy"):
    into = [word.partition("=")[2] for word in argv if word.startswith("-json-into=")]
    recorded = open({str(OPENTOFU / scenario / "apply.into.jsonl")!r}).readlines()[:{lines}]
    for path in into:
        with open(path, "w") as file:
            file.writelines(recorded)
            file.write('{{"@level":"info","type":"apply_comp')
    open({str(made.applied)!r}, "w").close()
    die(signal.SIGKILL)
if argv[:2] == ["state", "pull"] and os.path.exists({str(made.applied)!r}):
    sys.exit(0)
os.execv({str(made.path)!r}, ["tofu", *argv])
""",
    )
    return on_stage(endpoint, tmp_path, tmp_path / "tofu")


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    return tmp_path


@pytest.mark.parametrize(("scenario", "command"), [("create", "apply"), ("destroy", "destroy")])
def test_an_opentofu_killed_in_mid_apply(
    endpoint: Endpoint, inner: Path, scenario: str, command: str
) -> None:
    """Its state is lost with it: nothing is claimed from it, least of all that it is empty."""
    lines = (OPENTOFU / scenario / "apply.into.jsonl").read_text().splitlines()
    begun = next(i for i, line in enumerate(lines) if json.loads(line)["type"] == "apply_start")
    stage = dying(endpoint, inner, scenario, begun + 2)
    events = stage.run(command, "-auto-approve")
    assert stage.code == -9
    assert [event.row for event in events][1:] == [f"failed {command} failure"]
    end = events[-1]
    assert end.counts() is None
    assert "state_checksum" not in end.metadata
    assert not end.data.keys() & {"serial", "lineage", "tainted"}
    assert end.data["interrupted"] == "SIGKILL"
    assert "state" in end.data["missing"]


def test_an_opentofu_killed_at_a_saved_plan(endpoint: Endpoint, inner: Path) -> None:
    """The same where it has no stream."""
    stage = dying(endpoint, inner, "create", 0)
    stage.run("plan", "-out=p")
    _, end = stage.run("apply", "p")
    assert (end.row, end.counts()) == (FAILED, None)
    assert "serial" not in end.data


def test_an_opentofu_that_cannot_show_its_plan(endpoint: Endpoint, inner: Path) -> None:
    """OpenTofu 1.13 fails to show a plan with an ephemeral resource; the file can be read."""
    made = standin(OPENTOFU / "update", inner / "inner" / "tofu")
    script_engine(
        inner / "tofu",
        f"""
if argv[0] == "show":
    sys.exit(1)
os.execv({str(made.path)!r}, ["tofu", *argv])
""",
    )
    stage = on_stage(endpoint, inner, inner / "tofu")
    (event,) = stage.run("plan")
    assert (event.row, event.counts()) == ("apply_needed plan success", "c1 u1")
    (event,) = stage.run("plan", TFEVENTS_PLAN_READER="json")
    assert (event.row, event.counts()) == ("plan plan success", None)
    assert event.data["missing"] == "plan"


def test_a_stream_that_says_nothing(endpoint: Endpoint, inner: Path) -> None:
    """Nothing told, nothing counted; what the state holds is known all the same."""
    made = standin(OPENTOFU / "noop", inner / "inner" / "tofu")
    script_engine(
        inner / "tofu",
        f"""
if argv[0] == "apply":
    sys.exit(0)
os.execv({str(made.path)!r}, ["tofu", *argv])
""",
    )
    stage = on_stage(endpoint, inner, inner / "tofu")
    (event,) = stage.run("apply", "-auto-approve")
    assert (event.row, event.counts()) == ("active apply success", None)
    assert event.data["counts"] == "absent"


def test_the_private_stream_is_gone_afterwards(endpoint: Endpoint, tmp_path: Path) -> None:
    """It holds addresses, and outputs in clear."""
    stage, made = opentofu(endpoint, tmp_path, "create")
    stage.run("apply", "-auto-approve")
    (argv,) = [i["argv"] for i in made.invocations if i["argv"][0] == "apply"]
    (path,) = [word.partition("=")[2] for word in argv if word.startswith("-json-into=")]
    assert not os.path.exists(path)
