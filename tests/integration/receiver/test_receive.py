"""`tfevents receive` as a server: its responses, what it stores, how it starts and stops."""

from __future__ import annotations

import hashlib
import http.client
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.command import Tfevents
from support.exhaustive import exhaustive_except
from support.machine import Machine
from support.receiver import HEADERS, KEY, Receiver

from tfevents.receiver.database import open_database

EVENT = {"event_type": "active", "metadata": {"activity_type": "apply", "git_branch": "main"}}
ERROR = {"name", "id", "message", "temporary", "timeout", "fault"}
QUERY = {
    **dict.fromkeys(("pipeline_id", "stage_id", "pipeline_execution_id", "pipeline_stage_id"), "x"),
    "provisioner_type": "tf",
    "data_type": "state_raw",
}


def test_a_run_reports_to_it_as_it_says(receiver: Receiver, machine: Machine) -> None:
    """With exactly the variables that the receiver prints, a run reports to it; its API returns the
    start and end of the run, the latest first."""
    exports = [line for line in receiver.said.splitlines() if line.startswith("  export ")]
    env = dict(pair.split("=", 1) for line in exports for pair in line.split()[1:])
    done = machine.tf("apply", "-auto-approve", at=machine.project(), env=env)
    assert (done.returncode, "reported" in done.stderr) == (0, True), done
    found = receiver.http.get(
        "/iacm/api/orgs/default/projects/demo/activities",
        params={"workspace": "demo"},
        headers={"Harness-Account": "local"},
    )
    about = [one["metadata"] for one in found.json()]
    assert [one.get("activity_status") for one in about] == ["success", None]
    assert about[0]["resource_counts"]["added"] == 1


def test_an_event_is_answered_without_a_body(receiver: Receiver) -> None:
    """The response to an event is 200 without a body; the event is an activity at once, with the
    metadata that was sent and nothing else."""
    answer = receiver.send(EVENT, project="taken")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-type" not in answer.headers
    (activity,) = receiver.list_activities("taken").json()
    place = {"account": "acct", "org": "default", "project": "taken", "workspace": "prod"}
    assert activity.items() >= {**place, "metadata": EVENT["metadata"]}.items()
    assert activity.keys() - place.keys() == {"id", "created", "metadata"}


def test_an_error_has_goas_envelope(receiver: Receiver) -> None:
    """An invalid event gives a 400 in goa's envelope, with the error's name in the header too, and
    is not stored."""
    answer = receiver.send({"event_type": "applied"}, project="refused")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/vnd.goa.error"
    assert answer.headers["goa-error"] == answer.json()["name"] == "invalid_enum_value"
    assert answer.json().keys() == ERROR
    assert (answer.json()["temporary"], answer.json()["fault"]) == (False, False)
    assert receiver.list_activities("refused").json() == []


def test_pages_of_activities(receiver: Receiver) -> None:
    """Activities are returned latest first and in pages; the headers have the totals."""
    for number in range(5):
        event = {**EVENT, "metadata": {**EVENT["metadata"], "pipeline": f"p{number}"}}  # type: ignore[dict-item]
        receiver.send(event, project="paged")
    receiver.send({"event_type": "stage-complete"}, project="paged")
    page = receiver.list_activities("paged", limit=2, page=2)
    assert [one["metadata"]["pipeline"] for one in page.json()] == ["p2", "p1"]
    told = {name: page.headers[f"x-{name}"] for name in ("page-size", "total-items", "total-pages")}
    assert told == {"page-size": "2", "total-items": "5", "total-pages": "3"}
    assert len(receiver.list_activities("paged", pipeline="p3").json()) == 1
    assert receiver.list_activities("paged", end_time=1).json() == []
    assert receiver.list_activities("paged", limit=0).status_code == 400
    assert receiver.list_activities("paged", page=2**63 - 1).json() == []


def test_an_activity_with_a_lone_surrogate(receiver: Receiver) -> None:
    """An event whose text is no valid Unicode is listed as it was sent."""
    about = {**EVENT["metadata"], "git_branch": "\ud800"}  # type: ignore[dict-item]
    receiver.send({**EVENT, "metadata": about}, project="surrogate")
    answer = receiver.list_activities("surrogate")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert [one["metadata"] for one in answer.json()] == [about]


def test_an_artifact(receiver: Receiver) -> None:
    """The response to an artifact is its id; the size and digest of its content, which may be
    secret, are stored without the content."""
    place = "/iacm/api/orgs/default/projects/infra/workspaces/prod/data"
    content = b"a secret of the state " * 10_000
    answer = receiver.http.post(place, params=QUERY, content=content)
    assert (answer.status_code, answer.json().keys()) == (200, {"id"})
    kept = b"".join(path.read_bytes() for path in receiver.home.glob("received.db*"))
    assert hashlib.sha256(content).hexdigest().encode() in kept
    assert b"a secret" not in kept


def test_a_body_without_an_announced_length_is_bounded(receiver: Receiver) -> None:
    """A body that is sent in chunks, without Content-Length, is refused with 413 once it is too
    large."""
    connection = http.client.HTTPConnection(urlsplit(receiver.url).netloc)
    place = "/iacm/api/orgs/default/projects/infra/workspaces/prod/events"
    chunks = [b" " * 65536] * 17
    headers = {**HEADERS, "Content-Type": "application/json"}
    connection.request("POST", place, chunks, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_home_with_a_question_mark(tmp_path: Path) -> None:
    """The database is the private file in the home directory, whatever characters its path has."""
    home = tmp_path / "a?b=%41"
    open_database(str(home)).dispose()
    assert [path.name for path in tmp_path.iterdir()] == [home.name]
    assert (home / "received.db").stat().st_size > 0
    assert (home / "received.db").stat().st_mode & 0o077 == 0


def test_it_only_answers_to_its_own_name(receiver: Receiver) -> None:
    """A request for another Host is refused, so that a web site whose name resolves to loopback
    can't read anything."""
    answer = receiver.http.get("/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400


def test_what_it_keeps_is_the_users_alone_and_holds_no_key(receiver: Receiver) -> None:
    """The database can only be read by its user, and has neither the API key nor its secret."""
    receiver.send(EVENT)
    for path in receiver.home.glob("received.db*"):
        assert path.stat().st_mode & 0o077 == 0
        assert KEY.encode() not in path.read_bytes()
        assert b"s3cr3t" not in path.read_bytes()


@pytest.mark.exhaustive
def test_outages_are_rehearsed(tmp_path: Path) -> None:
    """`--fail` gives errors at first, then `--refuse` refuses all events; activities can still be
    read."""
    with Receiver(tmp_path, "--fail", "503:1", "--refuse", "423", "--delay", "0.01") as receiver:
        answers = [receiver.send(EVENT) for _ in range(3)]
        found = [(one.status_code, one.json()["name"], one.json()["temporary"]) for one in answers]
        assert found == [(503, "service_unavailable", True), *[(423, "locked", True)] * 2]
        assert receiver.list_activities().json() == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "number", exhaustive_except([signal.SIGINT, signal.SIGTERM], signal.SIGINT), ids=str
)
def test_a_stop_and_a_new_start(number: signal.Signals, tmp_path: Path) -> None:
    """After SIGINT and SIGTERM the receiver exits with 0, also while a page is being read, and the
    next one has the stored events."""
    with Receiver(tmp_path) as receiver:
        receiver.send(EVENT)
        with receiver.http.stream("GET", "/"):
            assert receiver.stop(number) == 0
    with Receiver(tmp_path) as receiver:
        assert len(receiver.list_activities().json()) == 1


def test_a_port_in_use(receiver: Receiver, tfevents: Tfevents) -> None:
    """If the port is in use, one line says so and suggests another one."""
    port = urlsplit(receiver.url).port
    line = tfevents.fails(2, "receive", "--port", port)
    assert f"port {port} can't be used: Address already in use; another" in line


def test_a_file_that_is_no_database(tfevents: Tfevents) -> None:
    """A received.db that is no database is reported in one line and left as it is."""
    tfevents.home.mkdir(parents=True, mode=0o700)
    (tfevents.home / "received.db").write_bytes(b"something else" * 100)
    line = tfevents.fails(1, "receive", "--port", "0")
    assert line.endswith("received.db can't be used: it is no database of this version")
    assert (tfevents.home / "received.db").read_bytes() == b"something else" * 100


def test_an_outage_that_there_is_not(tfevents: Tfevents) -> None:
    """If the status of --fail is no error, one line lists those that are allowed."""
    line = tfevents.fails(2, "receive", "--fail", "200:1")
    assert "200 is none of 400, 401" in line


@pytest.mark.exhaustive
def test_without_its_extra(tfevents: Tfevents) -> None:
    """Without the extra `receive`, one line says how to install it."""
    code = "import sys; sys.modules['starlette'] = None\n"
    code += "from tfevents.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "receive"],
        env=tfevents.env,
        capture_output=True,
        text=True,
        check=False,
    )
    words = "tfevents: receive needs what is not installed: pip install 'tfevents[receive]'\n"
    assert (done.returncode, done.stderr) == (1, words)
