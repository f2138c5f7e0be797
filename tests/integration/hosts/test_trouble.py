"""A hook is never in the way: it ends with 0, says at most one line, and nothing on stdout."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.exhaustive import exhaustive_except
from support.hosts.field import (
    APPLIED,
    APPLY_FAILED,
    BEGUN,
    PLAN_FAILED,
    PLANNED,
    Field,
    field,
    without_key,
)

MOMENTS = ("before", "after", "error")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Field]:
    with field(tmp_path) as place:
        yield without_key(place)


def hook(place: Field, moment: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """One call, as every host makes it."""
    return place.run(["tfevents", "hook", moment, *words], **env)


def _down(place: Field) -> dict[str, str]:
    return {"TFEVENTS_URL": NOWHERE}


def _no_journal(place: Field) -> dict[str, str]:
    return {"TFEVENTS_HOME": f"{place.directory}/main.tf/journal"}


def _no_home(place: Field) -> dict[str, str]:
    return {"TFEVENTS_HOME": "", "HOME": "/nonexistent", "XDG_STATE_HOME": ""}


def _bad_url(place: Field) -> dict[str, str]:
    return {"TFEVENTS_URL": "ftp://example.com"}


def _bad_file(place: Field) -> dict[str, str]:
    (place.directory / ".tfevents.hcl").write_text("harness {")
    return {}


def _no_terraform(place: Field) -> dict[str, str]:
    return {"TFEVENTS_PROVISIONER": "/nonexistent/terraform"}


def _no_directory(place: Field) -> dict[str, str]:
    return {"TG_CTX_TERRAGRUNT_DIR": "/nonexistent/unit", "TG_CTX_TF_PATH": "terraform"}


TROUBLES = (_down, _no_journal, _no_home, _bad_url, _bad_file, _no_terraform, _no_directory)


@pytest.mark.parametrize("moment", exhaustive_except(MOMENTS, "after"))
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__.strip("_"))
def test_a_hook_in_trouble_is_not_in_the_way(
    trouble: Callable[[Field], dict[str, str]], moment: str, place: Field
) -> None:
    """Terraform goes on, and its output is its own."""
    env = trouble(place)
    if moment != "before":
        hook(place, "before", "apply", **env)
    done = hook(place, moment, "apply", "--plan-file", "nowhere.tfplan", **env)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") <= 1
    assert done.stderr == "" or done.stderr.startswith("tfevents: ")


@pytest.mark.parametrize("trouble", [_down, _no_journal, _bad_url, _bad_file])
def test_what_was_not_reported_is_said(
    trouble: Callable[[Field], dict[str, str]], place: Field
) -> None:
    """In one line, at the end of the run."""
    done = hook(place, "after", "apply", "--exit-code", "0", **trouble(place))
    assert done.stderr.startswith("tfevents: ")
    assert done.stderr.count("\n") == 1


def test_a_plan_that_is_missing_is_said(place: Field) -> None:
    """The event comes without counts."""
    done = hook(place, "after", "plan", "--exit-code", "1", "--plan-file", "nowhere.tfplan")
    assert "nowhere.tfplan" in done.stderr
    assert place.told() == [(*PLAN_FAILED, None)]


@pytest.mark.parametrize(
    "words",
    [
        ("before",),
        ("before", "unlock"),
        ("after", "plan", "--exit-code", "maybe"),
        ("after", "plan", "--exit-code", "", "--plan-file", "", "--plan-json", ""),
        ("later", "plan"),
        ("after", "plan", "--no-such-option"),
        (),
    ],
)
def test_a_call_that_is_wrong_is_not_in_the_way(words: tuple[str, ...], place: Field) -> None:
    """One line at most, and 0: a typing error in a hook must not stop an apply."""
    done = place.run(["tfevents", "hook", *words])
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") <= 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("after",),
        ("later", "plan"),
        ("before", "plan", "--x"),
        ("after", "plan", "--exit-code", "9" * 20),
    ],
)
def test_a_call_that_is_wrong_is_said(words: tuple[str, ...], place: Field) -> None:
    """In one line."""
    done = place.run(["tfevents", "hook", *words])
    assert done.stderr.startswith("tfevents: ")
    assert "a bug" not in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)


def test_a_hook_that_is_switched_off_does_nothing(place: Field) -> None:
    """As `tf` does."""
    off = {"TFEVENTS_DISABLED": "1", "TFEVENTS_STRICT": "1", "TFEVENTS_URL": NOWHERE}
    for moment in MOMENTS:
        done = hook(place, moment, "apply", **off)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert hook(place, "error", "apply").stderr == ""


def test_a_file_that_is_no_plan_is_said(place: Field) -> None:
    """Whatever it is; whether there is something to apply is then not claimed."""
    (place.directory / "p").write_text("no plan")
    done = hook(place, "after", "plan", "--exit-code", "0", "--plan-file", "p")
    assert "p is no plan of this run" in done.stderr
    assert "whether there is something to apply is not known" in done.stderr
    assert place.told() == []


@pytest.mark.parametrize("kind", ["missing", "directory", "pipe"])
def test_what_is_no_plan_file_is_waited_for_by_nobody(kind: str, place: Field) -> None:
    """Nothing is claimed of such a plan, by either option or by terraform's own word."""
    path = place.directory / "p"
    if kind == "directory":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    for words in (["--plan-file", "p"], ["--plan-json", "p"], ["--", "plan", "-out=p"]):
        command = [] if "--" in words else ["plan"]
        hook(place, "before", *command, *words)
        done = hook(place, "after", "--exit-code", "success", *command, *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (0, "", 1)
        assert "whether there is something to apply is not known" in done.stderr
    assert place.told() == []


@pytest.mark.exhaustive
def test_a_plan_as_json_from_a_pipe(place: Field) -> None:
    """`-` is stdin, as for `count`; and a shell's `<(…)` is read too."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    after = "tfevents hook after plan --exit-code success --plan-json"
    place.sh(
        f"tfevents hook before plan --plan-json - </dev/null; terraform show -json p | {after} -"
    )
    words = ["/bin/bash", "-c", f"tfevents hook before plan; {after} <(terraform show -json p)"]
    assert place.run(words).returncode == 0
    assert place.told() == [PLANNED, PLANNED]


def test_success_without_its_number(place: Field) -> None:
    """It is a success, and no exit code is told; a failure after it is another end."""
    hook(place, "before", "apply")
    hook(place, "after", "apply", "--exit-code", "success")
    assert "told already" in hook(place, "after", "apply", "--exit-code", "success").stderr
    hook(place, "after", "apply", "--exit-code", "failure")
    assert [event[2] for event in place.told()] == [None, "success", "failure"]
    assert not any("exit_code" in event["data"] for event in place.events)


def test_a_word_that_is_no_command_of_terraform_is_said(place: Field) -> None:
    """A command that is not reported is no slip, and neither is what the host calls its own."""
    done = hook(place, "before", "--", "-chdir=d", "aply", "run.tfplan")
    assert "'aply' is no command of terraform" in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    for words in (["output"], ["--", "-chdir=d", "state", "list"], ["--", "-version"]):
        assert hook(place, "before", *words).stderr == ""
    atlantis = {"COMMAND_NAME": "policy_check", "COMMAND_HAS_ERRORS": "false"}
    assert hook(place, "after", "policy_check", **atlantis).stderr == ""


def test_a_call_that_is_wrong_is_told_under_strict(place: Field) -> None:
    """Behind the run; before it nothing stops it."""
    for moment, code in (("before", 0), ("after", 86), ("error", 86)):
        done = hook(place, moment, "plan", "--no-such-option", TFEVENTS_STRICT="1")
        assert (done.returncode, done.stderr.count("\n")) == (code, 1)


@pytest.mark.exhaustive
def test_an_outcome_that_nobody_knows_is_not_told(place: Field) -> None:
    """The last that is known: an apply was begun, which is not called a success. Of a plan that is
    nothing."""
    commands = ("plan", "apply", "destroy", "refresh", "import")
    for command in commands:
        hook(place, "after", command)
    kinds = ("apply", "destroy", "apply", "import")
    types = ("provisioning", "destroying", "provisioning", "provisioning")
    assert place.told() == [(*words, None, None) for words in zip(types, kinds, strict=True)]
    assert {event["data"]["outcome"] for event in place.events} == {"unknown"}


def test_a_plan_that_nobody_saw_is_told_where_its_code_says_what_it_is(place: Field) -> None:
    """Whether there is something to apply is known by exit code 2, and by no other."""
    for code in ("0", "2"):
        hook(place, "after", "plan", "--exit-code", code)
    assert [event[0] for event in place.told()] == ["apply_needed"]
    assert [event["data"].get("missing") for event in place.events] == ["plan"]
    assert {event["data"]["counts"] for event in place.events} == {"absent"}


def test_an_apply_whose_state_nobody_saw_is_a_success_and_not_active(place: Field) -> None:
    """It is told that it ended well; what the state holds now is not."""
    nobody = {"TFEVENTS_PROVISIONER": "/nonexistent/terraform"}
    hook(place, "after", "apply", "--exit-code", "0", **nobody)
    assert place.told() == [("provisioning", "apply", "success", None)]
    assert place.events[0]["data"]["missing"] == "state"


@pytest.mark.exhaustive
def test_an_older_plans_json_is_not_this_plans(place: Field) -> None:
    """The host made it of the plan before, and none of this one."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    place.sh("terraform show -json p > p.json")
    for code in ("0", "1"):
        hook(place, "before", "plan", "--plan-json", "p.json")
        hook(place, "after", "plan", "--exit-code", code, "--plan-json", "p.json")
    assert place.told() == [(*PLAN_FAILED, None)]


@pytest.mark.parametrize("moment", ["after", "error"])
def test_strict_ends_with_86_where_it_was_not_delivered(moment: str, place: Field) -> None:
    """`before` never does: it would stop terraform on every host."""
    strict = {"TFEVENTS_STRICT": "1", "TFEVENTS_URL": NOWHERE}
    assert hook(place, "before", "apply", **strict).returncode == 0
    done = hook(place, moment, "apply", **strict)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (86, "", 1)
    fine = {"TFEVENTS_STRICT": "1"}
    assert hook(place, moment, "apply", **fine).returncode == 0


# The wrong order


def test_after_without_before_tells_of_the_run(place: Field) -> None:
    """With what can be known at its end."""
    place.sh("terraform init -input=false && terraform plan -out=p && terraform apply p")
    hook(place, "after", "apply", "--exit-code", "0", "--plan-file", "p")
    assert place.told() == [APPLIED]


def test_error_without_before_tells_nothing(place: Field) -> None:
    """Hosts call it when something else has failed."""
    done = hook(place, "error", "apply")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert place.told() == []


def test_error_after_after_tells_nothing(place: Field) -> None:
    """The run is over."""
    hook(place, "before", "plan")
    hook(place, "after", "plan", "--exit-code", "1")
    hook(place, "error", "plan")
    assert place.told() == [(*PLAN_FAILED, None)]


@pytest.mark.parametrize("code", exhaustive_except(["0", "1"], "0"))
def test_a_second_after_tells_nothing_and_says_so(place: Field, code: str) -> None:
    """Neither of a plan nor of an apply; what has happened since is told."""
    place.sh("terraform init -input=false")
    for command, work in (("plan", "plan -out=p"), ("apply", "apply p")):
        words = (command, "--exit-code", code, "--plan-file", "p")
        hook(place, "before", command, "--plan-file", "p")
        place.sh(f"terraform {work}")
        hook(place, "after", *words)
        done = hook(place, "after", *words)
        assert "told already" in done.stderr
    assert len(place.told()) == 3
    place.sh("terraform plan -out=p")
    hook(place, "after", "plan", "--exit-code", "0", "--plan-file", "p")
    assert place.told()[3:] == [("plan", "plan", "success", 0)]


def test_a_second_before_closes_the_first(place: Field) -> None:
    """Nobody else will."""
    hook(place, "before", "apply")
    hook(place, "before", "apply")
    hook(place, "error", "apply")
    words = [event[:3] for event in place.told()]
    assert words == [BEGUN[:3], APPLY_FAILED, BEGUN[:3], APPLY_FAILED]


def test_workspaces_and_units_do_not_meet(place: Field) -> None:
    """Their runs are open at the same time in the same directory."""
    for unit in ("a", "b"):
        for workspace in ("blue", "green"):
            name = {"TF_WORKSPACE": workspace}
            hook(place, "before", "plan", "--directory", unit, **name)
    hook(place, "error", "plan", "--directory", "a", TF_WORKSPACE="green")
    (event,) = place.events
    assert (event["data"]["directory"], event["data"]["tf_workspace"]) == ("a", "green")


def test_a_hook_that_is_killed_corrupts_nothing(place: Field) -> None:
    """At any moment: what comes next is told as if it had not been."""
    for tenths in range(1, 12):
        script = f"timeout -s KILL 0.{tenths:02d} tfevents hook before plan"
        place.sh(script.replace("0.10", "1.0").replace("0.11", "1.1"))
    hook(place, "before", "plan")
    place.sh("terraform init -input=false && terraform plan -out=p")
    hook(place, "after", "plan", "--exit-code", "0", "--plan-file", "p")
    assert place.told()[-1] == PLANNED
    runs = [event["data"]["run_id"] for event in place.events]
    assert len(runs) == len(set(runs))
    assert {event[:3] for event in place.told()[:-1]} <= {PLAN_FAILED}


def test_a_run_that_was_opened_beside_home_is_closed_at_home(place: Field) -> None:
    """Home could not be written before the run, and can be after it: it is one run."""
    home = Path(place.env["TFEVENTS_HOME"])
    home.write_text("")  # a file stands where it should be
    hook(place, "before", "apply")
    home.unlink()
    hook(place, "after", "apply", "--exit-code", "0")
    assert [event[0] for event in place.told()] == ["provisioning", "inactive"]
    assert len({event["data"]["run_id"] for event in place.events}) == 1


def test_a_run_that_was_opened_beside_home_is_closed_by_the_next(place: Field) -> None:
    """Nobody came back to close it."""
    home = Path(place.env["TFEVENTS_HOME"])
    home.write_text("")
    hook(place, "before", "apply")
    home.unlink()
    hook(place, "before", "apply")
    assert [event[0] for event in place.told()] == ["provisioning", "failed", "provisioning"]


def make_older(place: Field) -> None:
    """As if the clock had been put forward since."""
    with closing(sqlite3.connect(Path(place.env["TFEVENTS_HOME"]) / "journal.db")) as db, db:
        db.execute("update runs set opened_at = '2026-01-01T00:00:00Z'")


def test_an_end_after_more_than_a_day_is_the_runs_only_one(place: Field) -> None:
    """Whoever comes to tell the end does not close the run as forgotten first."""
    hook(place, "before", "apply")
    make_older(place)
    hook(place, "after", "apply", "--exit-code", "0")
    assert [event[0] for event in place.told()] == ["provisioning", "inactive"]


def test_a_run_that_was_forgotten_and_goes_on_is_one_run(place: Field) -> None:
    """Its end is told with all that is known of it, once, and is what stays."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    hook(place, "before", "apply", "--plan-file", "p")
    make_older(place)
    place.run(["tfevents", "log"])
    place.sh("terraform apply p")
    hook(place, "after", "apply", "--exit-code", "0")
    assert "told already" in hook(place, "after", "apply", "--exit-code", "0").stderr
    assert place.told() == [BEGUN, (*APPLY_FAILED, None), APPLIED]
    assert len({event["data"]["run_id"] for event in place.events}) == 1
    (run,) = json.loads(place.run(["tfevents", "log", "--json"]).stdout)["runs"]
    assert run["exit_code"] == 0


FULL = """
create trigger full_events before insert on events begin select raise(fail, 'full'); end;
create trigger full_runs before update on runs begin select raise(fail, 'full'); end;
"""
EMPTIED = """
drop trigger full_events; drop trigger full_runs;
update runs set opened_at = '2026-01-01T00:00:00Z';
"""
ROOM_FOR_ONE = """
drop trigger full_events; drop trigger full_runs;
create trigger full_merge before insert on runs begin select raise(fail, 'full'); end;
"""


def test_an_end_that_is_kept_beside_home_is_the_runs_only_one(place: Field) -> None:
    """The run is open in home, which has no room for its end: a day later it is not forgotten."""
    home = Path(place.env["TFEVENTS_HOME"])
    hook(place, "before", "apply")
    with closing(sqlite3.connect(home / "journal.db")) as db:
        db.executescript(FULL)
        hook(place, "after", "apply", "--exit-code", "0")
        db.executescript(EMPTIED)
    hook(place, "before", "apply")
    hook(place, "after", "apply", "--exit-code", "0")
    told = [event[0] for event in place.told()]
    assert told == ["provisioning", "inactive", "provisioning", "inactive"]
    assert len({event["data"]["run_id"] for event in place.events}) == 2


def test_an_end_that_is_kept_beside_home_is_an_executions_only_one(place: Field) -> None:
    """Home then has room for one event, and not for all that was kept beside it: what the host says
    of the whole execution ends no run again."""
    home = Path(place.env["TFEVENTS_HOME"])
    pull = {"BASE_REPO_OWNER": "o", "BASE_REPO_NAME": "r", "PULL_NUM": "7"}
    step = {**pull, "PLANFILE": "p", "ATLANTIS_TERRAFORM_VERSION": "1.11.4"}
    hook(place, "before", "apply", **step)
    with closing(sqlite3.connect(home / "journal.db")) as db:
        db.executescript(FULL)
        hook(place, "after", "apply", "--exit-code", "1", **step)
        db.executescript(ROOM_FOR_ONE)
        hook(place, "after", "apply", COMMAND_HAS_ERRORS="true", **pull)
        db.executescript("drop trigger full_merge")
    hook(place, "error", "plan")
    assert [event[0] for event in place.told()] == ["provisioning", "failed"]
