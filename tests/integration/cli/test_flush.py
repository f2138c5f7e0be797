"""`tfevents flush`: pending events are delivered once and in order, or the output says why not."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint, Rules
from support.step import HANG, answer
from support.terminal import Terminal

from tfevents.cli.flush import describe_result
from tfevents.delivery.flush import Flush
from tfevents.settings.load import load_settings


def names(endpoint: Endpoint) -> list[str]:
    """The `data.name` of each recorded event, as given to `put`."""
    return [event["data"]["name"] for event in endpoint.events]


def test_nothing_waits(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Without pending events, `flush` succeeds without a request."""
    assert tfevents.ok("flush") == "nothing waits\n"
    assert endpoint.connections == 0


def test_what_waits_is_delivered_once_and_in_order(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`flush` delivers every pending event in order; a second `flush` finds nothing to send."""
    tfevents.put("a", "b", "c")
    assert tfevents.ok("flush") == "3 delivered\n"
    assert tfevents.ok("flush") == "nothing waits\n"
    assert names(endpoint) == ["a", "b", "c"]
    assert len({event["data"]["event_id"] for event in endpoint.events}) == 3


def test_without_a_key(tfevents: Tfevents) -> None:
    """Without an API key, `flush` exits with 2 and keeps the events."""
    tfevents.put("a")
    line = tfevents.fails(2, "flush")
    assert line == (
        "tfevents: no API key is set, 1 event waiting: set TFEVENTS_API_KEY or"
        " TFEVENTS_API_KEY_FILE"
    )
    assert len(tfevents.json("log", "--json")["events"]) == 1


def test_a_broken_setting(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An invalid setting is one line that names the setting and does not contain the API key."""
    tfevents.env["TFEVENTS_URL"] = "http://harness.example"
    line = tfevents.fails(2, "flush")
    assert line.startswith("tfevents: TFEVENTS_URL: ")
    assert "secret" not in line


def test_refused(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """A refused event is printed with the reason, skipped by the next `flush`, and sent again by
    `flush --refused`."""
    tfevents.put("a", "b")
    endpoint.script(answer(404, "workspace not found"))
    done = tfevents.run("flush")
    assert done.returncode == 1
    first, why = done.stdout.decode().splitlines()
    assert first == "1 delivered, 1 refused"
    assert why.startswith("refused: no such place, org default, project infra, workspace prod: 404")
    assert tfevents.ok("flush").splitlines() == [
        "nothing waits",
        "1 refused earlier, sent again by: tfevents flush --refused",
    ]
    assert tfevents.ok("flush", "--refused") == "1 delivered\n"
    assert names(endpoint) == ["b", "a"]


def test_a_wrong_key(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """With a wrong API key, `flush` sends one request, gives one reason and keeps all events; with
    a right key it delivers them."""
    tfevents.put("a", "b")
    endpoint.rules = Rules(api_key="pat.acc.token.other")
    done = tfevents.run("flush")
    assert done.returncode == 1
    assert done.stdout.decode().startswith("2 kept\nkept: the server does not take this API key")
    assert len(endpoint.requests) == 1
    endpoint.rules = Rules()
    assert tfevents.ok("flush") == "2 delivered\n"


def test_no_connection(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`flush` ends within 10 seconds if the server can't be reached, and keeps the event."""
    tfevents.put("a")
    tfevents.env["TFEVENTS_URL"] = "http://127.0.0.1:9"
    began = time.monotonic()
    done = tfevents.run("flush")
    assert time.monotonic() - began < 10
    assert done.returncode == 1
    assert done.stdout.decode().startswith("1 kept\nkept: no connection to 127.0.0.1:9")


@pytest.mark.exhaustive
def test_the_timeout_is_for_all_of_it(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`--timeout` limits the whole flush, also if the server never answers."""
    tfevents.put("a", "b")
    endpoint.always(HANG)
    began = time.monotonic()
    done = tfevents.run("flush", "--timeout", "1")
    assert time.monotonic() - began < 45
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, b"2 kept")


@pytest.mark.exhaustive
def test_without_a_timeout_it_takes_as_long_as_it_gets_on(
    tfevents: Tfevents, endpoint: Endpoint
) -> None:
    """Without `--timeout`, a flush may take longer than `patience`, which limits only the time
    since the last delivery."""
    tfevents.put("a", "b", "c", "d")
    endpoint.always(answer(200).but(delay=0.7))
    settings = load_settings(tfevents.env, str(tfevents.cwd))
    done = Flush(settings, tfevents.env, patience=2.5).run()
    assert describe_result(done) == ["4 delivered"]
    assert names(endpoint) == ["a", "b", "c", "d"]


@pytest.mark.exhaustive
def test_a_busy_server_is_asked_again(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`flush` retries after 503 and 429, and keeps the order."""
    tfevents.put("a", "b")
    endpoint.script(answer(503, retry_after=1), answer(429))
    assert tfevents.ok("flush") == "2 delivered\n"
    assert names(endpoint) == ["a", "b"]


@pytest.mark.exhaustive
def test_three_flushes_at_once(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Three flushes at the same time all succeed, and each event is delivered once and in order."""
    tfevents.put("a", "b", "c")
    endpoint.script(answer(503), answer(503))
    flushes = [tfevents.start("flush") for _ in range(3)]
    ended = [(flush.communicate(timeout=60), flush.returncode) for flush in flushes]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert names(endpoint) == ["a", "b", "c"]


def test_a_claim_of_the_dead_is_void(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """The claims of a killed flush do not delay the next flush, which also removes the run
    folder."""
    tfevents.put("a", "b")
    endpoint.script(HANG)
    first = tfevents.start("flush")
    endpoint.wait_for_requests(1)
    first.kill()
    first.communicate()
    began = time.monotonic()
    assert tfevents.ok("flush") == "2 delivered\n"
    assert time.monotonic() - began < 5
    assert names(endpoint) == ["a", "b"]
    assert os.listdir(tfevents.home / "runs") == []


def test_an_event_of_another_account(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An event of another account than the API key's is kept, with the reason; the others are
    delivered."""
    tfevents.env["TFEVENTS_ACCOUNT"] = "theirs"
    tfevents.put("a")
    tfevents.env["TFEVENTS_ACCOUNT"] = "acc"
    tfevents.put("b")
    done = tfevents.run("flush")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        "1 delivered, 1 kept",
        "kept: this event is of account theirs, the key is of acc",
    ]
    assert names(endpoint) == ["b"]


# Organization, project and workspace of an event


def unplaced(tfevents: Tfevents, directory: str, name: str, **env: str) -> Path:
    """Records an event in `directory` without organization, project and workspace; returns the
    directory's path."""
    at = tfevents.cwd / directory
    at.mkdir(parents=True, exist_ok=True)
    bare = {n: t for n, t in tfevents.env.items() if n.removeprefix("TFEVENTS_") not in WHOSE}
    replace(tfevents, cwd=at, env={**bare, **env}).put(name)
    return at


WHOSE = ("ORG", "PROJECT", "WORKSPACE")


def kept(tfevents: Tfevents, *words: object) -> list[str]:
    """The lines that `flush` prints if it could not deliver all events; asserts exit code 1."""
    done = tfevents.run("flush", *words)
    assert (done.returncode, done.stderr) == (1, b""), done
    return done.stdout.decode().splitlines()


def places(endpoint: Endpoint) -> list[tuple[str, str, str]]:
    """Organization, project and workspace of each request."""
    found = [request.place for request in endpoint.requests]
    return [(place.org, place.project, place.workspace) for place in found if place]


def test_another_directory_s_event_is_never_filled_in(
    tfevents: Tfevents, endpoint: Endpoint
) -> None:
    """An event of a directory without a workspace is not sent to the workspace of the user who
    flushes; the output names that directory."""
    at = unplaced(tfevents, "live/sandbox", "theirs")
    tfevents.put("mine")
    assert kept(tfevents) == [
        "1 delivered, 1 kept",
        f"kept: no workspace for {at}: tfevents flush --assign WORKSPACE",
    ]
    assert names(endpoint) == ["mine"]


def test_what_a_directory_s_file_says_by_now(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`flush` reads the settings file of the event's own directory again, and uses the workspace
    given there for the event's terraform workspace."""
    at = unplaced(tfevents, "live/dev", "dev", TF_WORKSPACE="dev")
    unplaced(tfevents, "live/dev", "test", TF_WORKSPACE="test")
    (at / ".tfevents.hcl").write_text(
        """
        harness {
          org     = "o"
          project = "p"
        }
        workspace "w" {
          directory    = "."
          tf_workspace = "dev"
        }
        """
    )
    assert kept(tfevents) == [
        "1 delivered, 1 kept",
        f"kept: no workspace for {at}: tfevents flush --assign WORKSPACE",
    ]
    assert names(endpoint) == ["dev"]
    assert places(endpoint) == [("o", "p", "w")]


def test_a_directory_that_is_gone(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An event of a deleted directory is kept with that directory's path, and `--assign` can give
    it a workspace."""
    at = unplaced(tfevents, "gone", "a")
    at.rmdir()
    assert str(at) in kept(tfevents)[1]
    assert tfevents.ok("flush", "--assign", "prod") == "1 event assigned\n1 delivered\n"


def test_a_person_says_whose_it_is(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`--assign` gives a workspace to the events of the only directory that waits; organization and
    project come from the settings or from `--org` and `--project`."""
    unplaced(tfevents, "a", "first")
    assert tfevents.ok("flush", "--assign", "one") == "1 event assigned\n1 delivered\n"
    unplaced(tfevents, "b", "second")
    words = ("--assign", "two", "--org", "o", "--project", "p")
    assert tfevents.ok("flush", *words) == "1 event assigned\n1 delivered\n"
    assert places(endpoint) == [("default", "infra", "one"), ("o", "p", "two")]


def test_of_several_directories_one_is_named(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """If events of several directories wait, `--assign` changes nothing without `--directory`,
    which may be a relative path."""
    a, b = unplaced(tfevents, "a", "1"), unplaced(tfevents, "b", "2")
    line = tfevents.fails(2, "flush", "--assign", "one")
    assert line == (
        f"tfevents: --assign: events of several directories wait ({a}, {b}):"
        " name one with --directory"
    )
    assert kept(tfevents)[1:] == [
        f"kept: no workspace for {a}, {b}: tfevents flush --assign WORKSPACE --directory DIRECTORY"
    ]
    assert kept(tfevents, "--assign", "one", "--directory", "b")[:2] == [
        "1 event assigned",
        "1 delivered, 1 kept",
    ]
    assert names(endpoint) == ["2"]
    line = tfevents.fails(2, "flush", "--assign", "one", "--directory", "b")
    assert line == f"tfevents: --assign: no event waits for a workspace in b: they wait for {a}"


def test_a_directory_whose_file_says_it_by_now_does_not_wait_for_a_person(
    tfevents: Tfevents, endpoint: Endpoint
) -> None:
    """`--assign` needs no `--directory` if a settings file gives the workspace of all other
    directories that wait."""
    a = unplaced(tfevents, "a", "1")
    unplaced(tfevents, "b", "2")
    (a / ".tfevents.hcl").write_text(
        'harness {\n  org = "o"\n  project = "p"\n  workspace = "w"\n}\n'
    )
    assert tfevents.ok("flush", "--assign", "prod") == "1 event assigned\n2 delivered\n"
    assert sorted(places(endpoint)) == [("default", "infra", "prod"), ("o", "p", "w")]


def test_of_several_terraform_workspaces_one_is_named(
    tfevents: Tfevents, endpoint: Endpoint
) -> None:
    """If events of several terraform workspaces of a directory wait, `--assign` needs
    `--tf-workspace`."""
    for name in ("dev", "prod"):
        unplaced(tfevents, "a", name, TF_WORKSPACE=name)
    line = tfevents.fails(2, "flush", "--assign", "w")
    assert line.endswith("workspaces wait (dev, prod): name one with --tf-workspace")
    kept(tfevents, "--assign", "w", "--tf-workspace", "prod")
    assert names(endpoint) == ["prod"]
    line = tfevents.fails(2, "flush", "--assign", "w", "--tf-workspace", "test")
    assert line == "tfevents: --tf-workspace: no event waits for test, only for dev"


def test_what_a_run_knew_stays(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`--assign` fills in missing fields only; it does not change the organization or workspace
    that the run had."""
    unplaced(tfevents, "a", "1", TFEVENTS_ORG="theirs", TFEVENTS_WORKSPACE="prod")
    line = tfevents.fails(2, "flush", "--assign", "other")
    assert line.endswith("these events are of workspace prod, and stay so: name that one")
    words = ("--assign", "prod", "--org", "mine", "--project", "p")
    assert tfevents.ok("flush", *words).endswith("1 delivered\n")
    assert places(endpoint) == [("theirs", "p", "prod")]


def test_a_name_that_was_wrong_can_be_given_again(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An event that was refused because the assigned workspace does not exist can be assigned
    again, until it is delivered."""
    unplaced(tfevents, "a", "1")
    endpoint.script(answer(404, "no such workspace"))
    assert kept(tfevents, "--assign", "prdo")[:2] == ["1 event assigned", "1 refused"]
    assert tfevents.ok("flush", "--assign", "prod") == "1 event assigned\n1 delivered\n"
    assert places(endpoint)[-1:] == [("default", "infra", "prod")]
    line = tfevents.fails(2, "flush", "--assign", "prod")
    assert line == "tfevents: --assign: no event waits for a workspace"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--assign", ""), "--assign: which workspace? it is empty"),
        (("--assign", "a\nb"), "--assign: "),
        (("--assign", "x" * 2000), "--assign: "),
        (("--assign", "w", "--org", "x" * 200), "--org: "),
        (("--directory", "."), "--directory goes with --assign WORKSPACE"),
    ],
)
def test_what_can_not_be_assigned(
    tfevents: Tfevents, endpoint: Endpoint, words: tuple[str, ...], told: str
) -> None:
    """An invalid value for `--assign` is one line, and nothing is sent."""
    unplaced(tfevents, "a", "1")
    assert tfevents.fails(2, "flush", *words).startswith(f"tfevents: {told}")
    assert endpoint.connections == 0


def test_which_project(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`--assign` asks for `--project` if no setting gives the project."""
    del tfevents.env["TFEVENTS_PROJECT"]
    unplaced(tfevents, "a", "1")
    line = tfevents.fails(2, "flush", "--assign", "w")
    assert line == "tfevents: --assign: which project? name it with --project"


def test_an_event_of_before(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """An event recorded by an earlier version, which stored no absolute path, is listed and
    assigned by the directory in its body."""
    unplaced(tfevents, "live", "1")
    unplaced(tfevents, "other", "2")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute("update events set directory = null, tf_workspace = null")
    db.close()
    assert "no workspace for live, other: " in kept(tfevents)[1]
    kept(tfevents, "--assign", "prod", "--directory", "./live/")
    assert names(endpoint) == ["1"]


@pytest.mark.parametrize("damage", ["body = '{\"torn'", "attempts = 'many'", "reason = x'ff'"])
def test_an_event_that_can_not_be_read(tfevents: Tfevents, endpoint: Endpoint, damage: str) -> None:
    """An event whose row can't be read is refused with one line; the others are delivered."""
    tfevents.put("a", "b")
    with sqlite3.connect(tfevents.home / "journal.db") as db:
        db.execute(f"update events set {damage} where seq = 1")
    db.close()
    assert kept(tfevents) == [
        "1 delivered, 1 refused",
        "refused: it can not be read",
        "event 1 of the journal can't be read",
    ]
    assert names(endpoint) == ["b"]
    assert tfevents.ok("flush").splitlines()[0] == "nothing waits"


def test_a_killed_run_is_closed_and_told(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`flush` ends a killed run in the journal, and delivers its `failed` event."""
    started = tfevents.provisioner_that_waits()
    run = tfevents.without_key().start("run", "--", "terraform", "refresh")
    while not (started.exists() and list((tfevents.home / "runs").glob("*/run"))):
        time.sleep(0.02)
    run.kill()
    started.unlink()
    run.communicate()
    assert tfevents.ok("flush").splitlines() == ["1 delivered", "1 run without an end, closed"]
    (event,) = endpoint.events
    assert event["event_type"] == "failed"
    assert event["data"]["interrupted"] == "killed"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_a_home_that_can_t_be_written(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Events in the fallback journal are delivered while the home directory can't be written, and
    also once it can."""
    tfevents.home.mkdir(parents=True)
    tfevents.home.chmod(0o500)
    tfevents.put("a")
    assert tfevents.ok("flush") == "1 delivered\n"
    tfevents.put("b")
    tfevents.home.chmod(0o700)
    assert tfevents.ok("flush") == "1 delivered\n"
    assert names(endpoint) == ["a", "b"]


def test_no_home_at_all(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """Events in the fallback journal are delivered while a file is in the place of the home
    directory, and also after its removal."""
    tfevents.home.write_text("in the way")
    tfevents.put("a")
    assert tfevents.ok("flush") == "1 delivered\n"
    tfevents.put("b")
    tfevents.home.unlink()
    assert tfevents.ok("flush") == "1 delivered\n"
    assert names(endpoint) == ["a", "b"]


def test_a_person_sees_that_it_goes_on(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """On a terminal, a flush that takes long shows its progress."""
    tfevents.put("a", "b")
    endpoint.script(answer(503, retry_after=2))
    command = [str(tfevents.program), "flush"]
    with Terminal(command, env=tfevents.env, cwd=tfevents.cwd) as terminal:
        terminal.wait()
        assert "delivering 2 events" in terminal.screen
        assert "2 delivered" in terminal.screen
