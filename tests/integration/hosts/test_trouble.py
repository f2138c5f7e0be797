"""Hooks that can't do their work: without TFEVENTS_STRICT they exit with 0, write at most one line
to stderr, and nothing to stdout."""

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
    KEY,
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
    """A field without an API key."""
    with field(tmp_path) as place:
        yield without_key(place)


def hook(place: Field, moment: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs `tfevents hook` once, as every host does."""
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


def _no_program(place: Field) -> dict[str, str]:
    text = place.directory / "text"
    text.write_text("")
    return {"TFEVENTS_PROVISIONER": str(text)}


def _no_directory(place: Field) -> dict[str, str]:
    return {"TG_CTX_TERRAGRUNT_DIR": "/nonexistent/unit", "TG_CTX_TF_PATH": "terraform"}


TROUBLES = (
    *(_down, _no_journal, _no_home, _bad_url, _bad_file),
    *(_no_terraform, _no_program, _no_directory),
)


@pytest.mark.parametrize("moment", exhaustive_except(MOMENTS, "after"))
@pytest.mark.parametrize(
    "trouble",
    exhaustive_except(TROUBLES, _no_home, _bad_file, _no_terraform, _no_directory),
    ids=lambda trouble: trouble.__name__.strip("_"),
)
def test_a_hook_in_trouble_is_not_in_the_way(
    trouble: Callable[[Field], dict[str, str]], moment: str, place: Field
) -> None:
    """A hook that can't do its work exits with 0, writes at most one line to stderr and nothing to
    stdout."""
    env = trouble(place)
    if moment != "before":
        hook(place, "before", "apply", **env)
    done = hook(place, moment, "apply", "--plan-file", "nowhere.tfplan", **env)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.count("\n") <= 1
    assert done.stderr == "" or done.stderr.startswith("tfevents: ")


@pytest.mark.parametrize(
    "trouble", exhaustive_except([_down, _no_journal, _bad_url, _bad_file], _down, _no_journal)
)
def test_what_was_not_reported_is_said(
    trouble: Callable[[Field], dict[str, str]], place: Field
) -> None:
    """An after hook whose event is not delivered says so in one line on stderr."""
    done = hook(place, "after", "apply", "--exit-code", "0", **trouble(place))
    assert done.stderr.startswith("tfevents: ")
    assert done.stderr.count("\n") == 1


def test_a_plan_that_is_missing_is_said(place: Field) -> None:
    """If the file of --plan-file is missing, stderr names the file, and the event of a failed plan
    has no counts."""
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
    """A hook with a wrong command line exits with 0 and writes at most one line, so that a typing
    error in a hook does not stop an apply."""
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
    """A hook with a wrong command line says so in one line on stderr, and does not call it a
    bug."""
    done = place.run(["tfevents", "hook", *words])
    assert done.stderr.startswith("tfevents: ")
    assert "a bug" not in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)


def test_a_hook_that_is_switched_off_does_nothing(place: Field) -> None:
    """With TFEVENTS_DISABLED a hook writes nothing and exits with 0, also with TFEVENTS_STRICT, as
    `tf` does."""
    off = {"TFEVENTS_DISABLED": "1", "TFEVENTS_STRICT": "1", "TFEVENTS_URL": NOWHERE}
    for moment in MOMENTS:
        done = hook(place, moment, "apply", **off)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert hook(place, "error", "apply").stderr == ""


def test_a_file_that_is_no_plan_is_said(place: Field) -> None:
    """If the file of --plan-file is no plan, one line says so and no event is recorded, since it is
    not known whether there is something to apply."""
    (place.directory / "p").write_text("no plan")
    done = hook(place, "after", "plan", "--exit-code", "0", "--plan-file", "p")
    assert "p is no plan of this run" in done.stderr
    assert "whether there is something to apply is not known" in done.stderr
    assert place.told() == []


@pytest.mark.parametrize("kind", exhaustive_except(["missing", "directory", "pipe"], "pipe"))
def test_what_is_no_plan_file_is_waited_for_by_nobody(kind: str, place: Field) -> None:
    """A hook does not wait for a plan file that is missing, a directory or a named pipe, and
    records no event; this holds for --plan-file, --plan-json and terraform's own -out."""
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
    """`--plan-json -` reads the plan from stdin, as `count` does; the pipe of a shell's `<(…)` is
    read too."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    after = "tfevents hook after plan --exit-code success --plan-json"
    place.sh(
        f"tfevents hook before plan --plan-json - </dev/null; terraform show -json p | {after} -"
    )
    words = ["/bin/bash", "-c", f"tfevents hook before plan; {after} <(terraform show -json p)"]
    assert place.run(words).returncode == 0
    assert place.told() == [PLANNED, PLANNED]


def test_success_without_its_number(place: Field) -> None:
    """`--exit-code success` records a success without an exit code; if repeated it is ignored,
    while a failure after it is recorded as another end."""
    hook(place, "before", "apply")
    hook(place, "after", "apply", "--exit-code", "success")
    assert "already reported" in hook(place, "after", "apply", "--exit-code", "success").stderr
    hook(place, "after", "apply", "--exit-code", "failure")
    assert [event[2] for event in place.told()] == [None, "success", "failure"]
    assert not any("exit_code" in event["data"] for event in place.events)


def test_a_word_that_is_no_command_of_terraform_is_said(place: Field) -> None:
    """A word that is no command of terraform is named in one line on stderr; commands that are not
    reported and a host's own commands are accepted silently."""
    done = hook(place, "before", "--", "-chdir=d", "aply", "run.tfplan")
    assert "'aply' is no command of terraform" in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    for words in (["output"], ["--", "-chdir=d", "state", "list"], ["--", "-version"]):
        assert hook(place, "before", *words).stderr == ""
    atlantis = {"COMMAND_NAME": "policy_check", "COMMAND_HAS_ERRORS": "false"}
    assert hook(place, "after", "policy_check", **atlantis).stderr == ""


def test_a_call_that_is_wrong_is_told_under_strict(place: Field) -> None:
    """With TFEVENTS_STRICT, after and error hooks with a wrong command line exit with 86; a before
    hook exits with 0, so that the run is not stopped."""
    for moment, code in (("before", 0), ("after", 86), ("error", 86)):
        done = hook(place, moment, "plan", "--no-such-option", TFEVENTS_STRICT="1")
        assert (done.returncode, done.stderr.count("\n")) == (code, 1)
        done = hook(place, "--exit-code", "x", moment, "plan", TFEVENTS_STRICT="1")
        assert (done.returncode, done.stderr.count("\n")) == (code, 1)


@pytest.mark.exhaustive
def test_an_outcome_that_nobody_knows_is_not_told(place: Field) -> None:
    """An after hook that does not know the outcome of an apply, destroy, refresh or import records
    the event of its start with outcome `unknown`, and nothing for a plan."""
    commands = ("plan", "apply", "destroy", "refresh", "import")
    for command in commands:
        hook(place, "after", command)
    kinds = ("apply", "destroy", "apply", "import")
    types = ("provisioning", "destroying", "provisioning", "provisioning")
    assert place.told() == [(*words, None, None) for words in zip(types, kinds, strict=True)]
    assert {event["data"]["outcome"] for event in place.events} == {"unknown"}


def test_a_plan_that_nobody_saw_is_told_where_its_code_says_what_it_is(place: Field) -> None:
    """Without a plan file only exit code 2 shows that there is something to apply; for exit code 0
    no event is recorded."""
    for code in ("0", "2"):
        hook(place, "after", "plan", "--exit-code", code)
    assert [event[0] for event in place.told()] == ["apply_needed"]
    assert [event["data"].get("missing") for event in place.events] == ["plan"]
    assert {event["data"]["counts"] for event in place.events} == {"absent"}


@pytest.mark.parametrize("without", [_no_terraform, _no_program])
def test_an_apply_whose_state_nobody_saw_is_a_success_and_not_active(
    without: Callable[[Field], dict[str, str]], place: Field
) -> None:
    """An apply that succeeded, but whose state can't be read, is recorded as a success and not as
    active."""
    hook(place, "after", "apply", "--exit-code", "0", **without(place))
    assert place.told() == [("provisioning", "apply", "success", None)]
    assert place.events[0]["data"]["missing"] == "state"


@pytest.mark.parametrize(
    "code", [("--exit-code", "0"), pytest.param((), marks=pytest.mark.exhaustive)]
)
def test_an_apply_without_a_state_is_neither_inactive_nor_failed(
    code: tuple[str, ...], place: Field
) -> None:
    """If terraform finds no state after an apply, as in a directory that is not the run's, the
    event claims neither that the workspace is inactive nor that the apply has failed."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    hook(place, "before", "apply", "--plan-file", "p")
    hook(place, "after", "apply", "--plan-file", "p", *code)
    status, added = ("success", 3) if code else (None, None)
    assert place.told() == [BEGUN, ("provisioning", "apply", status, added)]


def test_a_state_that_could_not_be_stored_gives_no_counts(place: Field) -> None:
    """If terraform has left errored.tfstate during the run, the stored state is not the run's, and
    the event has neither counts nor serial; a file of an earlier run does not matter."""
    errored = place.directory / "errored.tfstate"
    errored.touch()
    os.utime(errored, (1, 1))
    place.sh("terraform init -input=false && terraform plan -out=p")
    for moment in ("older", "new"):
        hook(place, "before", "apply", "--plan-file", "p")
        place.sh("test -e terraform.tfstate || terraform apply p")
        if moment == "new":
            errored.touch()
        hook(place, "after", "apply", "--exit-code", "1", "--plan-file", "p")
    ends = [event for event in place.events if event["event_type"] == "failed"]
    assert [event["data"]["counts"] for event in ends] == ["exact", "absent"]
    assert ["serial" in event["data"] for event in ends] == [True, False]
    assert ["state_checksum" in event["metadata"] for event in ends] == [True, False]


@pytest.mark.exhaustive
def test_an_older_plan_is_not_that_of_a_failed_one(place: Field) -> None:
    """`error` of any command closes a plan by the rules of a plan: an older plan file has no counts
    of it."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    hook(place, "before", "plan", "--plan-file", "p")
    hook(place, "error", "apply", "--plan-file", "p")
    assert place.told() == [(*PLAN_FAILED, None)]


def test_a_closed_stdin_leaves_no_run_open(place: Field) -> None:
    """With stdin closed, `--plan-json -` is no plan, and the run is closed with its exit code."""
    hook(place, "before", "plan")
    assert place.sh("tfevents hook after plan --exit-code 2 --plan-json - <&-") == 0
    assert [event[0] for event in place.told()] == ["apply_needed"]


@pytest.mark.exhaustive
def test_an_older_plans_json_is_not_this_plans(place: Field) -> None:
    """The file of --plan-json is ignored if it is from before the run, since it shows an earlier
    plan."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    place.sh("terraform show -json p > p.json")
    for code in ("0", "1"):
        hook(place, "before", "plan", "--plan-json", "p.json")
        hook(place, "after", "plan", "--exit-code", code, "--plan-json", "p.json")
    assert place.told() == [(*PLAN_FAILED, None)]


@pytest.mark.parametrize("moment", ["after", "error"])
def test_strict_ends_with_86_where_it_was_not_delivered(moment: str, place: Field) -> None:
    """With TFEVENTS_STRICT, after and error hooks exit with 86 if the event was not delivered; a
    before hook never does, as that would stop terraform on every host."""
    strict = {"TFEVENTS_STRICT": "1", "TFEVENTS_URL": NOWHERE}
    assert hook(place, "before", "apply", **strict).returncode == 0
    done = hook(place, moment, "apply", **strict)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (86, "", 1)
    fine = {"TFEVENTS_STRICT": "1"}
    assert hook(place, moment, "apply", **fine).returncode == 0


def _open_atlantis_projects(place: Field) -> dict[str, str]:
    """Opens an apply in two projects, each with its own workspace; returns the variables of the
    pull request."""
    pull = {"BASE_REPO_OWNER": "o", "BASE_REPO_NAME": "r", "PULL_NUM": "7", "COMMAND_NAME": "apply"}
    pull |= {"TFEVENTS_API_KEY": KEY, "TFEVENTS_WORKSPACE": ""}
    for name in ("a", "b"):
        part = place.directory / name
        part.mkdir()
        (part / ".tfevents.hcl").write_text(f'harness {{\n  workspace = "of-{name}"\n}}\n')
        step = {**pull, "PLANFILE": "p", "ATLANTIS_TERRAFORM_VERSION": "1.11.4"}
        place.run(["tfevents", "hook", "before", "apply"], cwd=part, **step)
    return {**pull, "COMMAND_HAS_ERRORS": "true", "TFEVENTS_STRICT": "1"}


def test_an_executions_failed_runs_are_sent_to_their_own_workspaces(place: Field) -> None:
    """Atlantis' post-workflow hook sends the failures of all projects, from the root, to the
    workspace of each project."""
    env = _open_atlantis_projects(place)
    done = hook(place, "after", "apply", **env)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["event_type"] for event in place.endpoint.events] == [
        *("provisioning", "provisioning", "failed", "failed")
    ]
    assert place.endpoint.events == place.events


@pytest.mark.exhaustive
def test_an_executions_failed_runs_that_are_not_sent_are_said(place: Field) -> None:
    """If the failures can't be sent, the hook says so in one line and, with TFEVENTS_STRICT, exits
    with 86; without a key, too."""
    env = _open_atlantis_projects(place)
    done = hook(
        place, "after", "apply", **{**env, "TFEVENTS_URL": NOWHERE, "TFEVENTS_TIMEOUT": "1"}
    )
    assert (done.returncode, done.stderr.count("\n")) == (86, 1)
    assert "2 of 2 failed runs not delivered: " in done.stderr
    assert [event[0] for event in place.told()][2:] == ["failed", "failed"]


# Hooks that are missing, repeated or in the wrong order


def test_after_without_before_tells_of_the_run(place: Field) -> None:
    """An after hook without a before hook records the run with the counts that are known at its
    end."""
    place.sh("terraform init -input=false && terraform plan -out=p && terraform apply p")
    hook(place, "after", "apply", "--exit-code", "0", "--plan-file", "p")
    assert place.told() == [APPLIED]


def test_error_without_before_tells_nothing(place: Field) -> None:
    """An error hook without a run to close records nothing: hosts also call it when something else
    has failed."""
    done = hook(place, "error", "apply")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert place.told() == []


def test_error_after_after_tells_nothing(place: Field) -> None:
    """An error hook after the after hook records nothing, since the run has ended."""
    hook(place, "before", "plan")
    hook(place, "after", "plan", "--exit-code", "1")
    hook(place, "error", "plan")
    assert place.told() == [(*PLAN_FAILED, None)]


@pytest.mark.parametrize("code", exhaustive_except(["0", "1"], "0"))
def test_a_second_after_tells_nothing_and_says_so(place: Field, code: str) -> None:
    """A second after hook of a plan or an apply records nothing and says `already reported`; a
    later plan is recorded."""
    place.sh("terraform init -input=false")
    for command, work in (("plan", "plan -out=p"), ("apply", "apply p")):
        words = (command, "--exit-code", code, "--plan-file", "p")
        hook(place, "before", command, "--plan-file", "p")
        place.sh(f"terraform {work}")
        hook(place, "after", *words)
        done = hook(place, "after", *words)
        assert "already reported" in done.stderr
    assert len(place.told()) == 3
    place.sh("terraform plan -out=p")
    hook(place, "after", "plan", "--exit-code", "0", "--plan-file", "p")
    assert place.told()[3:] == [("plan", "plan", "success", 0)]


def test_a_second_before_closes_the_first(place: Field) -> None:
    """A before hook closes the previous run as failed if no other hook has closed it."""
    hook(place, "before", "apply")
    hook(place, "before", "apply")
    hook(place, "error", "apply")
    words = [event[:3] for event in place.told()]
    assert words == [BEGUN[:3], APPLY_FAILED, BEGUN[:3], APPLY_FAILED]


def test_workspaces_and_units_do_not_meet(place: Field) -> None:
    """Runs of different directories and terraform workspaces can be open at the same time; an error
    hook closes only the run of its own."""
    for unit in ("a", "b"):
        for workspace in ("blue", "green"):
            name = {"TF_WORKSPACE": workspace}
            hook(place, "before", "plan", "--directory", unit, **name)
    hook(place, "error", "plan", "--directory", "a", TF_WORKSPACE="green")
    (event,) = place.events
    assert (event["data"]["directory"], event["data"]["tf_workspace"]) == ("a", "green")


@pytest.mark.exhaustive
def test_a_hook_that_is_killed_corrupts_nothing(place: Field) -> None:
    """If before hooks are killed at different moments, the next run is still recorded, and every
    run at most once."""
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


@pytest.mark.exhaustive
def test_a_run_that_was_opened_beside_home_is_closed_at_home(place: Field) -> None:
    """A run that begins in the fallback journal and ends when the home directory can be written is
    one run."""
    home = Path(place.env["TFEVENTS_HOME"])
    home.write_text("")  # a file in the place of the home directory
    hook(place, "before", "destroy")
    home.unlink()
    hook(place, "after", "destroy", "--exit-code", "0")
    assert [event[0] for event in place.told()] == ["destroying", "inactive"]
    assert len({event["data"]["run_id"] for event in place.events}) == 1


def test_a_run_that_was_opened_beside_home_is_closed_by_the_next(place: Field) -> None:
    """A run that began in the fallback journal and has no after hook is closed as failed by the
    next before hook."""
    home = Path(place.env["TFEVENTS_HOME"])
    home.write_text("")
    hook(place, "before", "apply")
    home.unlink()
    hook(place, "before", "apply")
    assert [event[0] for event in place.told()] == ["provisioning", "failed", "provisioning"]


def make_older(place: Field) -> None:
    """Sets the start of all runs to more than a day ago, as if the clock had been put forward."""
    with closing(sqlite3.connect(Path(place.env["TFEVENTS_HOME"]) / "journal.db")) as db, db:
        db.execute("update runs set opened_at = '2026-01-01T00:00:00Z'")


def test_an_end_after_more_than_a_day_is_the_runs_only_one(place: Field) -> None:
    """An after hook more than a day after its before hook records the run's only end: its run is
    not first closed as forgotten."""
    hook(place, "before", "destroy")
    make_older(place)
    hook(place, "after", "destroy", "--exit-code", "0")
    assert [event[0] for event in place.told()] == ["destroying", "inactive"]


@pytest.mark.exhaustive
def test_a_run_that_was_forgotten_and_goes_on_is_one_run(place: Field) -> None:
    """If a run ends after it was closed as forgotten, its end is recorded once, with counts and
    exit code, and under the same run id."""
    place.sh("terraform init -input=false && terraform plan -out=p")
    hook(place, "before", "apply", "--plan-file", "p")
    make_older(place)
    place.run(["tfevents", "log"])
    place.sh("terraform apply p")
    hook(place, "after", "apply", "--exit-code", "0")
    assert "already reported" in hook(place, "after", "apply", "--exit-code", "0").stderr
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


@pytest.mark.exhaustive
def test_an_end_that_is_kept_beside_home_is_the_runs_only_one(place: Field) -> None:
    """If the home directory's journal has no room for a run's end, the end is kept in the fallback
    journal, and a day later the run is not closed as forgotten."""
    home = Path(place.env["TFEVENTS_HOME"])
    hook(place, "before", "destroy")
    with closing(sqlite3.connect(home / "journal.db")) as db:
        db.executescript(FULL)
        hook(place, "after", "destroy", "--exit-code", "0")
        db.executescript(EMPTIED)
    hook(place, "before", "destroy")
    hook(place, "after", "destroy", "--exit-code", "0")
    told = [event[0] for event in place.told()]
    assert told == ["destroying", "inactive", "destroying", "inactive"]
    assert len({event["data"]["run_id"] for event in place.events}) == 2


@pytest.mark.exhaustive
def test_an_end_that_is_kept_beside_home_is_an_executions_only_one(place: Field) -> None:
    """If the home directory then has room for one event, but not for all of the fallback journal,
    the outcome that the host reports for the whole execution does not end the run again."""
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
