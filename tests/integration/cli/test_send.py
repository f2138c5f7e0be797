"""`tfevents send` and `stage-complete`: a manual event is stored in the journal and then sent."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from typing import Any

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint
from support.step import HANG, answer

COUNTS = '{"added":1,"changed":0,"deleted":0,"unchanged":2}'


def only(tfevents: Tfevents) -> Any:
    """The only event in the journal."""
    (entry,) = tfevents.json("log", "--json")["events"]
    return entry


def test_an_event(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`send` delivers an event with the given type, data and metadata, and with the id and
    directory that every event has."""
    said = tfevents.ok(
        *("send", "active", "--activity-type", "apply", "--activity-status", "success"),
        *("--data", "ticket=OPS-1", "--data", "note=a=b", "--metadata", "git_branch=main"),
        *("--metadata", f"resource_counts={COUNTS}"),
    )
    assert said == "active, reported to Harness IaCM workspace prod\n"
    (request,) = endpoint.requests
    assert request.target == "/iacm/api/orgs/default/projects/infra/workspaces/prod/events"
    (event,) = endpoint.events
    assert event["event_type"] == "active"
    assert event["metadata"] == {
        "activity_type": "apply",
        "activity_status": "success",
        "git_branch": "main",
        "resource_counts": {"added": 1, "changed": 0, "deleted": 0, "unchanged": 2},
    }
    data = event["data"]
    assert (data["ticket"], data["note"], data["directory"]) == ("OPS-1", "a=b", "work")
    assert only(tfevents)["event_id"] == data["event_id"]
    assert only(tfevents)["status"] == "delivered"


def test_commit_and_overrides(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """For metadata, `--metadata` has precedence over TFEVENTS_METADATA_*, and these over git; an
    empty value leaves a field out."""
    script = "git init -q . && git commit -q --allow-empty -m first"
    subprocess.run(["/bin/sh", "-c", script], env=tfevents.env, cwd=tfevents.cwd, check=True)
    tfevents.env["TFEVENTS_METADATA_GIT_BRANCH"] = "from-environment"
    tfevents.env["TFEVENTS_METADATA_COST_CURRENCY"] = "EUR"
    tfevents.ok("send", "plan", "--metadata", "COST_CURRENCY=USD", "--metadata", "git_commit_sha=")
    assert endpoint.events[0]["metadata"] == {
        "git_branch": "from-environment",
        "git_commit_message": "first",
        "cost_currency": "USD",
    }


def test_old_events_are_deleted(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`send` deletes delivered events beyond the age limit, as the home may have no other runs."""
    tfevents.ok("send", "plan")
    with closing(sqlite3.connect(tfevents.home / "journal.db")) as db, db:
        db.execute("update events set put_at = '2020-01-01T00:00:00.000Z'")
    tfevents.ok("send", "active")
    assert only(tfevents)["event_id"] == endpoint.events[1]["data"]["event_id"]


def test_options_say_where(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """The options for organization, project and workspace have precedence over the environment."""
    tfevents.ok("send", "plan", "--org", "o", "--project", "p", "--workspace", "w/1")
    assert endpoint.requests[0].place is not None
    assert endpoint.requests[0].target.endswith("/orgs/o/projects/p/workspaces/w%2F1/events")


def test_stage_complete(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`stage-complete` sends an event with the pipeline's ids from the CI variables, without an
    activity."""
    tfevents.env |= {
        "CI": "true",
        "HARNESS_ACCOUNT_ID": "acc",
        "HARNESS_PIPELINE_ID": "deploy",
        "HARNESS_EXECUTION_ID": "exec-1",
        "HARNESS_BUILD_ID": "42",
        "HARNESS_STAGE_ID": "stage-1",
    }
    assert tfevents.ok("stage-complete") == (
        "stage-complete, reported to Harness IaCM workspace prod\n"
    )
    (event,) = endpoint.events
    assert event["event_type"] == "stage-complete"
    assert "activity_type" not in event["metadata"]
    told = {name: event["metadata"][name] for name in event["metadata"] if "pipeline" in name}
    assert told == {
        "pipeline": "deploy",
        "pipeline_execution_id": "exec-1",
        "pipeline_execution_number": "42",
        "pipeline_stage_id": "stage-1",
    }


def test_without_a_key(tfevents: Tfevents) -> None:
    """Without an API key, `send` keeps the event in the journal and writes one line; with
    `--strict` or TFEVENTS_STRICT it exits with 86."""
    line = "tfevents: plan, kept in the journal: no TFEVENTS_API_KEY is set (see: tfevents log)"
    assert tfevents.fails(0, "send", "plan") == line
    assert tfevents.fails(86, "send", "plan", "--strict") == line
    tfevents.env["TFEVENTS_STRICT"] = "1"
    assert tfevents.fails(86, "send", "plan") == line
    assert [e["status"] for e in tfevents.json("log", "--json")["events"]] == ["pending"] * 3


def test_strict_is_content_with_what_arrived(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """With `--strict`, the exit code is 0 if the event was delivered."""
    tfevents.ok("stage-complete", "--strict")


def test_refused(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """If the server refuses the event, `send` writes one line with the server's reason; with
    `--strict` it exits with 86."""
    endpoint.script(answer(409, "already there"), answer(409))
    line = tfevents.fails(0, "send", "plan")
    assert line.startswith("tfevents: plan, refused: the server refused the event: 409")
    assert tfevents.run("send", "plan", "--strict").returncode == 86


def test_the_budget_bounds_it(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`send` waits for a server that does not answer no longer than TFEVENTS_TIMEOUT, then keeps
    the event."""
    tfevents.env["TFEVENTS_TIMEOUT"] = "1"
    endpoint.always(HANG)
    began = time.monotonic()
    line = tfevents.fails(0, "send", "plan")
    assert time.monotonic() - began < 4
    assert line.startswith("tfevents: plan, kept in the journal: ")


def test_what_waited_goes_first(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`send` delivers the workspace's pending events first, in order."""
    tfevents.put("a", "b")
    tfevents.ok("send", "plan", "--data", "name=c")
    assert [event["data"]["name"] for event in endpoint.events] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("words", "exit_code", "reason"),
    [
        (("--metadata", "no_such=1"), 2, "--metadata no_such: the contract has no such"),
        (("--metadata", "trigger=x"), 2, "--metadata TRIGGER: this takes JSON"),
        (("--metadata", 'resource_counts={"added":1}'), 1, "metadata.resource_counts does not fit"),
        (("--metadata", "enable_solutions_factory=2"), 1, "metadata.enable_solutions_factory"),
        (("--data", "k=" + "x" * 70_000), 1, "too large"),
    ],
)
def test_what_is_no_event(
    words: tuple[str, ...], exit_code: int, reason: str, tfevents: Tfevents
) -> None:
    """`send` refuses data and metadata that the event schema does not allow, and records
    nothing."""
    assert reason in tfevents.fails(exit_code, "send", "plan", *words)
    assert tfevents.ok("log").startswith("nothing has been recorded yet")


def test_what_is_no_text(tfevents: Tfevents) -> None:
    """A `--data` value that is not UTF-8 is an error that names the key but not the value."""
    value = "k=\N{GRINNING FACE}".encode() + b"\xff"
    command = [bytes(tfevents.program), b"send", b"plan", b"--data", value]
    done = subprocess.run(command, env=tfevents.env, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"'k' is no UTF-8" in done.stderr


def test_a_broken_setting(tfevents: Tfevents) -> None:
    """With an invalid settings file, `send` fails with exit code 2 and names the file."""
    (tfevents.cwd / ".tfevents.hcl").write_text("harness {\n")
    assert ".tfevents.hcl" in tfevents.fails(2, "send", "plan")


def test_our_own_names_are_ours(tfevents: Tfevents) -> None:
    """`--data` can replace `directory`, but not `event_id`."""
    tfevents.fails(0, "send", "plan", "--data", "event_id=mine", "--data", "directory=mine")
    data = only(tfevents)["event"]["data"]
    assert data["event_id"] != "mine"
    assert data["directory"] == "mine"


def test_a_home_that_can_t_be_used(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """If the home directory can't be used, `send` still delivers the event, by the fallback
    journal."""
    tfevents.home.write_text("in the way")
    done = tfevents.run("send", "plan")
    assert done.returncode == 0
    assert len(endpoint.events) == 1
