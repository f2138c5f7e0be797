"""`tfevents log`: prints the journal's runs and events as a table, in full, or as JSON."""

from __future__ import annotations

import json
import sqlite3
import time
from typing import Any

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint
from support.step import HANG, answer
from support.terminal import Terminal

REFRESH = 'case "$1" in refresh) exit 4;; *) exit 1;; esac'


def test_nothing_yet(tfevents: Tfevents) -> None:
    """Without a journal, `log` prints one line, and `log --json` a document without runs and
    events."""
    assert tfevents.ok("log") == "nothing has been recorded yet: run `tf plan` or `tf apply`\n"
    assert tfevents.json("log", "--json") == {"runs": [], "events": []}


def test_runs_and_events_by_hand(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log` lists runs and manual events in the order in which they happened, each with its
    delivery and the reason if it was not delivered."""
    endpoint.script(answer(404, "no such workspace"))
    tfevents.run("send", "plan")
    tfevents.provisioner(REFRESH)
    tfevents.run("run", "--", "terraform", "refresh")
    tfevents.put("later")
    lines = tfevents.ok("log").splitlines()
    assert lines[0].split() == ["when", "id", "exit", "delivery", "event", "run"]
    assert [line[26:].split() for line in (lines[1], lines[3], lines[4])] == [
        ["refused", "plan", "by", "hand"],
        ["4", "delivered", "failed", "refresh", "work"],
        ["pending", "plan", "by", "hand"],
    ]
    assert lines[2].startswith("    no such place, ")
    assert lines[5] == "    no TFEVENTS_API_KEY is set"
    assert len(lines) == 6
    assert "\x1b" not in "".join(lines)


def test_json(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log --json` has the whole run, its events as they were sent, and their destination."""
    tfevents.provisioner(REFRESH)
    tfevents.run("run", "--", "terraform", "refresh")
    (run,) = tfevents.json("log", "--json")["runs"]
    (event,) = run.pop("events")
    assert run["operation"] == "refresh"
    assert (run["exit_code"], run["open"], run["directory"]) == (4, False, "work")
    assert event["status"] == "delivered"
    assert event["event"] == endpoint.events[0]
    assert event["destination"] == {
        "account": "acc",
        "org": "default",
        "project": "infra",
        "workspace": "prod",
    }


def test_the_latest(tfevents: Tfevents) -> None:
    """`log -n` shows that many of the latest events, the newest last."""
    tfevents.put("a", "b", "c")
    events = tfevents.json("log", "--json", "-n", "2")["events"]
    assert [event["event"]["data"]["name"] for event in events] == ["b", "c"]
    assert tfevents.ok("log", "-n2").count(" pending ") == 2


@pytest.mark.exhaustive
def test_the_events_of_a_workspace(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log --workspace` shows the workspace's events and runs, also a run without events."""
    tfevents.run("send", "plan", "--workspace", "other", "--data", "name=a")
    tfevents.run("send", "plan", "--data", "name=b")
    assert list_names(tfevents, "--workspace", "other") == ["a"]
    assert list_names(tfevents, "--workspace", "prod") == ["b"]
    assert list_names(tfevents, "--workspace", "pro") == []
    started = tfevents.provisioner_that_waits()
    run = tfevents.start("run", "--", "terraform", "refresh")
    while not (started.exists() and tfevents.json("log", "--json")["runs"]):
        time.sleep(0.05)
    (begun,) = tfevents.json("log", "--json", "--workspace", "prod")["runs"]
    assert (begun["operation"], begun["events"]) == ("refresh", [])
    assert tfevents.json("log", "--json", "--workspace", "other")["runs"] == []
    assert tfevents.json("log", "--json", "--undelivered")["runs"] == []
    started.unlink()
    run.communicate()


def test_what_was_not_delivered(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log --undelivered` shows all pending and refused events, however many, unless `-n` limits
    their number."""
    tfevents.run("send", "plan", "--data", "name=arrived")
    assert tfevents.ok("log", "--undelivered") == "nothing in the journal is like that\n"
    endpoint.script(answer(404, "no such workspace"))
    tfevents.run("send", "plan", "--data", "name=refused")
    tfevents.put(*(f"waits{number}" for number in range(21)))
    assert list_names(tfevents, "--undelivered")[:2] == ["refused", "waits0"]
    assert len(list_names(tfevents, "--undelivered")) == 22
    assert len(list_names(tfevents)) == 20
    assert list_names(tfevents, "--undelivered", "-n", "1") == ["waits20"]


def test_what_ran_since(tfevents: Tfevents) -> None:
    """`log --since` shows the events recorded since then, and the runs that ended since then, also
    if they began before."""
    tfevents.put("old", "new")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute("update events set put_at = '2026-01-02T10:00:00.000Z' where seq = 1")
        for run_id, end in (("a", "2026-01-02T10:00:00Z"), ("b", "2026-01-02T11:00:00Z")):
            db.execute(
                "insert into runs (run_id, operation, mode, directory, opened_at, ended_at, key)"
                " values (?, 'plan', 'normal', '.', '2026-01-01T00:00:00Z', ?, 'hook')",
                (run_id, end),
            )
    db.close()
    found = tfevents.json("log", "--json", "--since", "2026-01-02T10:30Z")
    assert [run["run_id"] for run in found["runs"]] == ["b"]
    assert [event["event"]["data"]["name"] for event in found["events"]] == ["new"]
    assert list_names(tfevents, "--since", "1h") == ["new"]
    assert list_names(tfevents, "--since", "2026-01-02T10:00:00Z") == ["old", "new"]
    assert list_names(tfevents, "--since", "1h", "--workspace", "none") == []


def list_texts(value: Any) -> list[str]:
    """Every text and number in a JSON document, without nulls."""
    if isinstance(value, dict):
        return [text for name, part in value.items() for text in list_texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in list_texts(part)]
    return [] if value is None else [value if isinstance(value, str) else json.dumps(value)]


def test_one_run_in_full(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log ID` shows every value that `--json` has of a run; the id may be shortened, or that of
    one of the run's events."""
    tfevents.put("another")
    tfevents.provisioner(REFRESH)
    tfevents.run("run", "--", "terraform", "refresh")
    (run,) = tfevents.json("log", "--json")["runs"]
    text = tfevents.ok("log", run["run_id"][:8])
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["run", run["run_id"]]
    assert ["destination.workspace", "prod"] in lines
    assert ["metadata.activity_status", "failure"] in lines
    assert [part for part in list_texts(run) if part not in text] == []
    assert tfevents.ok("log", run["events"][0]["event_id"]) == text
    assert tfevents.json("log", "--json", run["run_id"]) == {"runs": [run], "events": []}


def test_one_event_by_hand_in_full(tfevents: Tfevents) -> None:
    """`log ID` of a manual event keeps a text's lines, prints counts on one line, and cuts nothing
    at the terminal's width."""
    names = ("added", "changed", "deleted", "imported", "removed", "unchanged")
    counts = json.dumps(dict.fromkeys(names, 2))
    message = f"A subject\n\n{'and a long line ' * 20}"
    facts = (f"resource_counts={counts}", f"git_commit_message={message}")
    tfevents.without_key().run("send", "plan", *(w for f in facts for w in ("--metadata", f)))
    (event,) = tfevents.json("log", "--json")["events"]
    text = tfevents.ok("log", event["event_id"])
    lines = text.splitlines()
    row = lines.index("metadata.git_commit_message  A subject")
    assert [line.strip() for line in lines[row + 1 : row + 3]] == ["", message[11:].strip()]
    told = ", ".join(f"2 {name}" for name in names)
    assert f"metadata.resource_counts     {told}" in lines
    command = [str(tfevents.program), "log", event["event_id"]]
    with Terminal(command, env=tfevents.env, cwd=tfevents.cwd, size=(40, 80)) as terminal:
        assert terminal.wait() == 0
        assert max(map(len, terminal.screen.splitlines())) <= 80
        assert "".join(terminal.screen.split()) == "".join(text.split())


@pytest.mark.exhaustive
def test_an_id_of_no_single_run(tfevents: Tfevents) -> None:
    """An id that fits no run, or more than one, is an error."""
    assert tfevents.fails(1, "log", "c0ffee").endswith("no run c0ffee: tfevents log lists them")
    assert "it is empty" in tfevents.fails(2, "log", "")
    tfevents.put(*map(str, range(17)))  # of 16 digits that an id may begin with, one comes twice
    ids = [event["event_id"] for event in tfevents.json("log", "--json")["events"]]
    twice = next(name[0] for name in ids if sum(other[0] == name[0] for other in ids) > 1)
    line = tfevents.fails(1, "log", twice)
    assert line.startswith(f"tfevents: {twice} is the beginning of ")
    assert line.endswith(" runs: say more of it")


def test_a_time_that_is_none(tfevents: Tfevents) -> None:
    """An invalid time for `--since` is one line that says how a time is written."""
    line = tfevents.fails(2, "log", "--since", "yesterday")
    assert "'yesterday' is no time: say 90m, 2h" in line


def list_names(tfevents: Tfevents, *words: str) -> list[str]:
    """The `data.name` of each manual event that `log` shows."""
    events = tfevents.json("log", "--json", *words)["events"]
    return [event["event"]["data"]["name"] for event in events]


def test_a_run_that_is_under_way_and_one_that_was_killed(tfevents: Tfevents) -> None:
    """`log` shows a run as running while its process lives, and as killed as soon as the process
    was killed."""
    started = tfevents.provisioner_that_waits()
    run = tfevents.start("run", "--", "terraform", "refresh")
    while not (started.exists() and tfevents.json("log", "--json")["runs"]):
        time.sleep(0.05)
    row = ["running", "-", "-", "refresh", "work"]
    assert tfevents.ok("log").splitlines()[1].split()[3:] == row
    run.kill()
    started.unlink()
    run.communicate()
    row = tfevents.ok("log").splitlines()[1].split()[3:]
    assert (row[0], row[2:]) == ("killed", ["failed", "refresh", "work"])


def test_while_somebody_writes(tfevents: Tfevents) -> None:
    """`log` reads the journal while another process has it locked for writing."""
    tfevents.put("a")
    with sqlite3.connect(tfevents.home / "journal.db", isolation_level=None) as writer:
        writer.execute("begin immediate")
        assert len(tfevents.json("log", "--json")["events"]) == 1
        writer.execute("rollback")
    writer.close()


def test_on_a_terminal(tfevents: Tfevents) -> None:
    """On a terminal, the table of `log` has colour and fits into 80 columns, and a long reason is
    wrapped, not cut."""
    tfevents.provisioner(REFRESH)
    tfevents.cwd = tfevents.cwd / ("deep" * 20)
    tfevents.cwd.mkdir()
    tfevents.without_key().run("run", "--", "terraform", "refresh")
    command = [str(tfevents.program), "log"]
    with Terminal(command, env=tfevents.env, cwd=tfevents.cwd, size=(40, 80)) as terminal:
        assert terminal.wait() == 0
        assert max(map(len, terminal.screen.splitlines())) <= 80
        (reason,) = reasons(tfevents)
        assert "".join(reason.split()) in "".join(terminal.screen.split())
        assert len(reason) > 80
        assert b"\x1b[33mpending" in terminal.output


def test_what_a_terminal_would_obey_is_not_shown(tfevents: Tfevents) -> None:
    """`log` prints no control characters of a directory's name, and keeps one line per row."""
    tfevents.cwd = tfevents.cwd / "a\x1b[31m\nb"
    tfevents.cwd.mkdir()
    tfevents.provisioner(REFRESH)
    tfevents.run("run", "--", "terraform", "refresh")
    told = tfevents.ok("log")
    assert "\x1b" not in told
    assert len(told.splitlines()) == 3
    run_id = tfevents.json("log", "--json")["runs"][0]["run_id"]
    assert "\x1b" not in tfevents.ok("log", run_id)


def test_one_event_does_not_push_the_others_out_of_sight(tfevents: Tfevents) -> None:
    """A very long event type does not make the table of `log` wider than 120 columns."""
    tfevents.put("a", "b")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute(
            "update events set body = json_set(body, '$.event_type', ?) where seq = 1",
            ("x" * 10_000,),
        )
    db.close()
    rows = [line for line in tfevents.ok("log").splitlines() if line.endswith("  by hand")]
    assert len(rows) == 2
    assert max(map(len, rows)) < 120


def test_the_events_of_a_run_that_can_not_be_read(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log ID` shows the events of a run whose own row can't be read."""
    tfevents.provisioner(REFRESH)
    tfevents.run("run", "--", "terraform", "refresh")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute("update runs set base = '{\"torn'")
        ((run_id, event_id),) = db.execute("select run_id, event_id from events").fetchall()
    db.close()
    done = tfevents.run("log", run_id)
    assert done.stdout.decode().splitlines()[0].split() == ["event", event_id]
    assert done.stderr.decode() == f"tfevents: run {run_id} of the journal can't be read\n"


def test_a_damaged_journal(tfevents: Tfevents) -> None:
    """If the journal is no database, `log` fails with one line that names the file."""
    tfevents.home.mkdir(parents=True)
    (tfevents.home / "journal.db").write_bytes(b"no database" * 1000)
    line = tfevents.fails(1, "log")
    assert str(tfevents.home / "journal.db") in line


def reasons(tfevents: Tfevents) -> list[str]:
    """Why each event is not delivered, from `log --json`; asserts that the table of `log` gives the
    same reasons."""
    document = tfevents.json("log", "--json")
    events = [event for run in document["runs"] for event in run["events"]]
    found = [event["reason"] for event in [*events, *document["events"]]]
    lines = tfevents.ok("log")
    assert all(reason in lines for reason in found)
    return found


def test_what_nothing_is_known_against_says_what_sends_it(tfevents: Tfevents) -> None:
    """The reason of a pending event that could be sent, as after its sender was killed, names
    `tfevents flush`."""
    tfevents.put("a")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute(
            "update events set reason = null, account = 'a', org = 'o', project = 'p',"
            " workspace = 'w'"
        )
    db.close()
    (reason,) = reasons(tfevents)
    assert reason.endswith("tfevents flush")


def test_what_is_being_sent_says_so(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """The reason of an event is `being sent` while a process waits for the server's response, and
    no longer once that process is killed."""
    endpoint.always(HANG)
    with tfevents.start("send", "plan") as sending:
        endpoint.wait_for_requests(1)
        assert reasons(tfevents) == ["being sent"]
        sending.kill()
    (reason,) = reasons(tfevents)
    assert reason.endswith("tfevents flush")


def test_why_what_was_never_tried_waits(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """The reason of an event that was never sent names what is missing or invalid: the API key, the
    directory's workspace or a setting."""
    tfevents.provisioner(REFRESH)
    run = ("run", "--", "terraform", "refresh")
    tfevents.without_key().run(*run)
    del tfevents.env["TFEVENTS_WORKSPACE"]
    tfevents.run(*run)
    tfevents.env["TFEVENTS_TIMEOUT"] = "soon"
    tfevents.run(*run)
    del tfevents.env["TFEVENTS_TIMEOUT"]
    tfevents.run("send", "plan")
    nowhere = f"no workspace for {tfevents.cwd}"
    broken = "TFEVENTS_TIMEOUT: 'soon' is no number of seconds from 0 to 3600"
    assert reasons(tfevents) == [
        "no TFEVENTS_API_KEY is set",
        nowhere,
        f"{broken}; {nowhere}",
        nowhere,
    ]
    assert endpoint.connections == 0


def test_a_row_that_can_not_be_read(tfevents: Tfevents) -> None:
    """An event that can't be read is one line on stderr; `log` shows all other events and exits
    with 0."""
    tfevents.put("a", "b", "c")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute("update events set body = '{\"torn', status = 'delivered' where seq = 2")
    db.close()
    done = tfevents.run("log")
    assert done.returncode == 0
    assert done.stderr == b"tfevents: event 2 of the journal can't be read\n"
    assert done.stdout.count(b" pending ") == 2


def test_no_secret_is_shown(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log` does not show the API key, even if the server's response repeated it."""
    endpoint.script(answer(400, "pat.acc.token.secret is wrong"))
    tfevents.run("send", "plan")
    told = tfevents.ok("log") + tfevents.ok("log", "--json")
    assert "refused" in told
    assert "secret" not in told
    assert json.dumps("***")[1:-1] in told
