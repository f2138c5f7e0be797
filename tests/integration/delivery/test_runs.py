"""Real runs of terraform while the server is down, slow or wrong: the run is unchanged, the event
is kept, and a later flush delivers it once and in order."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.loss.trouble import fill, free
from support.machine import KEY, ONE, SCRIPTS, SLOW, Machine, ids, kill, types, until
from support.nowhere import black_hole, closed_port
from support.standin import script_engine
from support.step import HANG, NORMAL, Ending, Step, answer, html, redirect

from tfevents.wrapper.sender import NAME

GENEROUS = 30.0
"""Seconds; no run that keeps its time limit takes as long, even on a busy machine."""


def ours(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of stderr that tfevents wrote."""
    return [line for line in done.stderr.splitlines() if line.startswith("tfevents: ")]


def test_a_run_is_reported_while_and_after_it_works(machine: Machine, endpoint: Endpoint) -> None:
    """The start event is sent while terraform works, the end event after it over the same
    connection."""
    at = machine.project(text=SLOW)
    run = machine.start("apply", "-auto-approve", at=at, env=machine.reporting_to(endpoint.url))
    assert types(endpoint.wait_for(1, 60)) == ["provisioning"]
    assert run.poll() is None
    (at / "go").touch()
    assert run.wait(60) == 0
    assert types(endpoint.events) == ["provisioning", "active"]
    assert len({request.connection for request in endpoint.requests}) == 1
    last = (at / "out").read_text().splitlines()[-1].removeprefix("\x1b[0m")
    assert last == "tfevents: active (1 added), reported to Harness IaCM workspace prod"


MISBEHAVED = {
    "503": (answer(503), "503"),
    "retry-after": (answer(503, retry_after=3600), "503"),
    "429": (answer(429, retry_after=1), "429"),
    "423": (answer(423), "423"),
    "html": (html(502), "502"),
    "401": (answer(401), "does not take this API key: 401"),
    "redirect": (redirect("https://login.example"), "it redirects to login.example"),
    "hang": (HANG, "no answer"),
    "drip": (Step(status=200, ending=Ending.DRIP, pause=0.5, recorded=False), "no answer"),
}


@pytest.mark.parametrize("name", exhaustive_except(MISBEHAVED, "401"))
def test_a_service_that_misbehaves_changes_nothing(
    machine: Machine, endpoint: Endpoint, name: str
) -> None:
    """If the server fails, terraform's output and exit code are unchanged, one line on stderr gives
    the reason, and a later flush delivers the event once."""
    step, words = MISBEHAVED[name]
    at, env = machine.project(), machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT="3")
    bare = machine.bare("plan", "-detailed-exitcode", at=at)
    endpoint.always(step)
    since = time.monotonic()
    done = machine.tf("plan", "-detailed-exitcode", at=at, env=env)
    assert time.monotonic() - since < GENEROUS
    assert done.returncode == bare.returncode == 2
    assert done.stdout == bare.stdout.split("\n\u2500")[0] + "\n" or done.stdout in bare.stdout
    (line,) = ours(done)
    assert line.startswith("tfevents: apply_needed (1 to add), kept in the journal: ")
    assert words in line
    endpoint.always(NORMAL)
    machine.tf("plan", at=at, env={**env, "TFEVENTS_API_KEY": ""})  # without a key: kept, too
    flushed = machine.flush(machine.reporting_to(endpoint.url))
    assert flushed.returncode == 0, flushed.stderr
    assert types(endpoint.events) == ["apply_needed", "apply_needed"]
    assert ids(endpoint.events) == machine.rows("select event_id from events order by seq")
    again = machine.flush(machine.reporting_to(endpoint.url))
    assert again.returncode == 0
    assert len(endpoint.events) == 2


def test_a_refusal_is_said_once_and_kept(machine: Machine, endpoint: Endpoint) -> None:
    """A 404 is reported in one line with the org, project and workspace that were used; the event
    is sent once and kept as refused."""
    endpoint.always(answer(404, "no such workspace"))
    at = machine.project()
    done = machine.tf("plan", at=at, env=machine.reporting_to(endpoint.url))
    (line,) = ours(done)
    assert "refused: no such place, org default, project infra, workspace prod: 404" in line
    assert machine.statuses() == ["refused"]
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("nowhere", exhaustive_except([closed_port, black_hole], closed_port))
def test_an_outage_stays_within_the_budget(machine: Machine, nowhere: object) -> None:
    """If the server can't be reached, an apply with a TFEVENTS_TIMEOUT of one second succeeds and
    keeps its events; a later flush delivers them."""
    at = machine.project()
    with nowhere() as url:  # type: ignore[operator]
        env = machine.reporting_to(url, TFEVENTS_TIMEOUT="1")
        since = time.monotonic()
        done = machine.tf("apply", "-auto-approve", at=at, env=env)
        assert time.monotonic() - since < GENEROUS
    assert done.returncode == 0
    assert "kept in the journal: " in ours(done)[0]
    assert machine.statuses() == ["pending", "pending"]
    with Endpoint() as endpoint:
        assert machine.flush(machine.reporting_to(endpoint.url)).returncode == 0
        assert types(endpoint.events) == ["provisioning", "active"]


@pytest.mark.exhaustive
def test_the_budget_is_what_was_set(machine: Machine, endpoint: Endpoint) -> None:
    """If the server hangs, a run with a TFEVENTS_TIMEOUT of 0 ends several seconds before one with
    9."""
    at = machine.project()
    endpoint.always(HANG)
    took = {}
    for seconds in ("0", "9"):
        env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT=seconds)
        since = time.monotonic()
        done = machine.tf("plan", at=at, env=env)
        took[seconds] = time.monotonic() - since
        assert "kept in the journal" in ours(done)[0]
    assert took["9"] > took["0"] + 4


@pytest.mark.exhaustive
def test_what_an_earlier_run_left_is_delivered_before(machine: Machine, endpoint: Endpoint) -> None:
    """After an outage, the next run of the same workspace delivers the earlier events first,
    without a flush; events of other workspaces stay pending."""
    at = machine.project()
    with closed_port() as url:
        machine.tf("plan", at=at, env=machine.reporting_to(url))
        machine.tf("plan", at=at, env=machine.reporting_to(url, "other"))
    machine.tf("apply", "-auto-approve", at=at, env=machine.reporting_to(endpoint.url))
    assert types(endpoint.events) == ["apply_needed", "provisioning", "active"]
    left = "select workspace from events where status = 'pending'"
    assert machine.rows(left) == ["other"]


@pytest.mark.exhaustive
def test_a_run_before_there_was_a_key_is_delivered_before(
    machine: Machine, endpoint: Endpoint
) -> None:
    """A run with an API key first delivers the events that an earlier run of its directory and
    workspace kept without a key; those of another directory wait for a flush."""
    at, other = machine.project(), machine.project("other")
    env = machine.reporting_to(endpoint.url)
    bare = {name: text for name, text in env.items() if name != "TFEVENTS_API_KEY"}
    machine.tf("plan", at=other, env=bare)
    machine.tf("plan", at=at, env=bare)
    machine.tf("apply", "-auto-approve", at=at, env=env)
    assert types(endpoint.events) == ["apply_needed", "provisioning", "active"]
    left = "select directory from events where status = 'pending'"
    assert machine.rows(left) == [str(other)]


@pytest.mark.exhaustive
def test_a_directory_without_a_workspace_tells_nobody_else_s(
    machine: Machine, endpoint: Endpoint
) -> None:
    """In the README's monorepo, a `destroy` in a directory without a workspace is kept: neither a
    run nor a flush sends it to the workspace of another directory; `tfevents flush --assign` does
    deliver it."""
    root = machine.root / "repo"
    mapped, sandbox = root / "live/prod/network", root / "live/sandbox"
    for place in (mapped, sandbox):
        place.mkdir(parents=True)
        (place / "main.tf").write_text(ONE)
    (root / ".git").mkdir()
    (root / ".tfevents.hcl").write_text(
        """
        harness {
          org     = "default"
          project = "infra"
        }
        workspace "prod_network" {
          directory = "live/prod/network"
        }
        """
    )
    env = {"TFEVENTS_URL": endpoint.url, "TFEVENTS_API_KEY": KEY}
    machine.tf("apply", "-auto-approve", at=sandbox, env={**env, "TFEVENTS_DISABLED": "1"})
    done = machine.tf("destroy", "-auto-approve", at=sandbox, env=env)
    (line,) = ours(done)
    assert line.endswith("kept in the journal: not known where to: set TFEVENTS_WORKSPACE")
    assert endpoint.connections == 0
    machine.tf("plan", at=mapped, env=env)
    assert types(endpoint.events) == ["apply_needed"]
    flushed = machine.flush(env)
    assert f"kept: no workspace for {sandbox}: " in flushed.stdout
    assert types(endpoint.events) == ["apply_needed"]
    words = ("--assign", "sandbox", "--directory", str(sandbox))
    assert machine.flush(env, *words).returncode == 0
    assert types(endpoint.events) == ["apply_needed", "destroying", "inactive"]
    last = endpoint.requests[-1].place
    assert last is not None
    assert last.workspace == "sandbox"


@pytest.mark.exhaustive
def test_one_that_was_killed_keeps_its_directory(machine: Machine, endpoint: Endpoint) -> None:
    """`tfevents flush --assign` assigns both the start event and the end event of a run that was
    killed."""
    at = machine.project(text=SLOW)
    env = {"TFEVENTS_URL": endpoint.url, "TFEVENTS_API_KEY": KEY}
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    until(lambda: (machine.home / "journal.db").exists() and machine.statuses())
    kill(run)
    words = ("--assign", "prod", "--org", "o", "--project", "p")
    flushed = machine.flush(env, *words)
    assert flushed.stdout.splitlines()[:2] == ["2 events assigned", "2 delivered"]
    assert types(endpoint.events) == ["provisioning", "failed"]


# The sender process


def find_sender(run: subprocess.Popen[bytes]) -> int:
    """The process id of a run's sender process, as soon as it runs. Skips the test without
    /proc."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("children are found in /proc only")

    def find() -> int:
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == run.pid and (place / "comm").read_bytes().rstrip() == NAME:
                    return int(place.name)
        return 0

    return int(until(find))


def gone(pid: int) -> bool:
    """Whether a process has ended; it may still be a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_sender_that_is_killed_loses_nothing(machine: Machine, endpoint: Endpoint) -> None:
    """If the sender process is killed during a request, the run goes on, one line says so, and a
    flush delivers all its events."""
    at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
    endpoint.script(HANG)
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    endpoint.wait_for_requests(1, 60)
    os.kill(find_sender(run), signal.SIGKILL)
    (at / "go").touch()
    assert run.wait(60) == 0
    (line,) = [s for s in (at / "out").read_text().splitlines() if "tfevents: " in s]
    assert line.endswith("kept in the journal: its sender was ended (send it with: tfevents flush)")
    assert machine.flush(env).returncode == 0
    assert types(endpoint.events) == ["provisioning", "active"]
    assert list((machine.home / "runs").iterdir()) == []


SENDING = [(answer(200).but(delay=0.5), "delivered"), (HANG, "pending")]


@pytest.mark.parametrize(("step", "status"), exhaustive_except(SENDING, (HANG, "pending")))
def test_a_run_that_is_killed_while_its_sender_sends(
    machine: Machine, endpoint: Endpoint, step: Step, status: str
) -> None:
    """If a run is killed during a request, its sender process ends soon, whether the server
    responds or hangs, and each event is delivered once."""
    at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
    endpoint.script(step)
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    endpoint.wait_for_requests(1, 60)
    sender = find_sender(run)
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: gone(sender))
    assert machine.statuses() == [status]
    kill(run)
    assert machine.flush(env).returncode == 0
    assert types(endpoint.events) == ["provisioning", "failed"]
    assert list((machine.home / "runs").iterdir()) == []


def list_open_files(place: Path) -> Iterator[str]:
    """The files that a process has open; files that it closes meanwhile are left out."""
    for file in (place / "fd").iterdir():
        with suppress(FileNotFoundError):
            yield os.readlink(file)


@pytest.mark.exhaustive
def test_a_sender_holds_nothing_of_the_run(machine: Machine, endpoint: Endpoint) -> None:
    """A sender process has neither the run's output nor its lock open, no API key in its command
    line, and no environment but that in which `tf` was started."""
    at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    endpoint.wait_for(1, 60)
    place = Path(f"/proc/{find_sender(run)}")
    assert KEY.encode() not in (place / "cmdline").read_bytes()
    assert (place / "environ").read_bytes() == Path(f"/proc/{run.pid}/environ").read_bytes()
    held = list(list_open_files(place))
    locks = [path for path in held if path.endswith("/lock")]
    assert len(locks) == 1
    assert Path(locks[0]).parent.name not in machine.rows("select run_id from runs")
    assert str(at / "out") not in held
    (at / "go").touch()
    assert run.wait(60) == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_for_all_ends_no_sender(machine: Machine, endpoint: Endpoint, number: int) -> None:
    """A SIGTERM to the whole process group, as by a CI that cancels, does not end the sender
    process, nor does a scheduler's SIGUSR1: the run's end is still delivered."""
    at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    endpoint.wait_for(1, 60)
    os.killpg(run.pid, number)
    run.wait(60)
    assert types(endpoint.wait_for(2)) == ["provisioning", "failed"]


# Strict


@pytest.mark.exhaustive
def test_strict_is_86_only_where_terraform_was_content(
    machine: Machine, endpoint: Endpoint
) -> None:
    """With TFEVENTS_STRICT, exit codes 0 and 2 (of -detailed-exitcode) become 86 if the event was
    not delivered, whatever the reason; 1 stays 1."""
    at = machine.project()
    strict = {"TFEVENTS_STRICT": "1"}
    good = {**machine.reporting_to(endpoint.url), **strict}
    assert machine.tf("plan", at=at, env=good).returncode == 0
    assert machine.tf("plan", "-detailed-exitcode", at=at, env=good).returncode == 2
    assert machine.tf("plan", at=at, env=strict).returncode == 86  # no key
    assert machine.tf("plan", "-detailed-exitcode", at=at, env=strict).returncode == 86
    broken = {**good, "TFEVENTS_TIMEOUT": "soon"}
    assert machine.tf("plan", at=at, env=broken).returncode == 86
    unknown = {**good, "TFEVENTS_WORKSPACE": ""}
    assert machine.tf("plan", at=at, env=unknown).returncode == 86
    (at / "main.tf").write_text("nonsense")
    assert machine.tf("plan", at=at, env=strict).returncode == 1
    endpoint.always(answer(400))
    (at / "main.tf").write_text(ONE)
    assert machine.tf("plan", at=at, env=good).returncode == 86
    assert machine.tf("plan", at=at, env={**good, "TFEVENTS_STRICT": "0"}).returncode == 0


@pytest.mark.exhaustive
@pytest.mark.parametrize("words", [("plan",), ("apply", "-auto-approve")])
def test_strict_leaves_the_code_of_a_crash(
    machine: Machine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Without -detailed-exitcode, 2 is the code of a crash: it stays 2 with TFEVENTS_STRICT."""
    crash = script_engine(tmp_path / "terraform", "sys.exit(2)\n")
    env = {"TFEVENTS_PROVISIONER": str(crash), "TFEVENTS_STRICT": "1"}
    done = machine.tf(*words, at=machine.project(), env=env)
    assert done.returncode == 2
    assert "tfevents: failed, kept in the journal" in done.stderr


# Settings that can't be used


BROKEN = [
    ("TFEVENTS_TIMEOUT", "soon", "TFEVENTS_TIMEOUT: 'soon' is no number"),
    ("TFEVENTS_URL", "nonsense", "TFEVENTS_URL: this is no URL"),
    ("TFEVENTS_URL", "http://service.example", "http:// shows the key"),
    ("TFEVENTS_CA_BUNDLE", "/nowhere", "can't read /nowhere"),
    ("TFEVENTS_API_KEY_FILE", "/nowhere", "can't read the key file /nowhere"),
    ("TFEVENTS_METADATA_COUNTRY", "x", "TFEVENTS_METADATA_COUNTRY: the contract has no such"),
    ("TFEVENTS_METADATA_RESOURCE_COUNTS", '{"added": 1.0}', "does not fit the contract"),
    ("ALL_PROXY", "canary://", "can't be used"),
]


@pytest.mark.parametrize(("name", "value", "words"), exhaustive_except(BROKEN, BROKEN[0]))
def test_a_broken_setting_is_one_line_and_the_event_stays(
    machine: Machine, endpoint: Endpoint, name: str, value: str, words: str
) -> None:
    """With an unusable setting terraform runs, one line names the setting, nothing is sent, and the
    event is kept with its destination."""
    at, env = machine.project(), machine.reporting_to(endpoint.url)
    if name == "TFEVENTS_API_KEY_FILE":
        env.pop("TFEVENTS_API_KEY")
    done = machine.tf("plan", at=at, env={**env, name: value})
    assert done.returncode == 0
    (line,) = ours(done)
    assert words in line
    assert "kept in the journal" in line
    assert endpoint.connections == 0
    (where,) = machine.rows("select org, project, workspace from events")
    assert where == ("default", "infra", "prod")
    assert machine.flush(machine.reporting_to(endpoint.url)).returncode == 0
    assert types(endpoint.events) == ["apply_needed"]


# Signals and runs that are killed


def test_after_a_signal_delivery_is_short(machine: Machine, endpoint: Endpoint) -> None:
    """After a SIGTERM, as by a CI that cancels, a run ends long before its TFEVENTS_TIMEOUT of a
    minute, even if the server hangs."""
    at = machine.project(text=SLOW)
    endpoint.always(HANG)
    env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT="60")
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    until(lambda: "begun" in (at / "out").read_text())
    run.send_signal(signal.SIGTERM)
    since = time.monotonic()
    run.wait(90)
    assert time.monotonic() - since < GENEROUS
    bodies = machine.bodies()
    assert types(bodies)[-1] == "failed"
    assert bodies[-1]["data"]["interrupted"] == "SIGTERM"
    assert set(machine.statuses()) == {"pending"}


@pytest.mark.exhaustive
def test_a_run_that_was_killed_is_closed_once_and_swept(
    machine: Machine, endpoint: Endpoint
) -> None:
    """If five runs start at once after a run was killed, its end is recorded once, its start event
    is delivered first, and its folder is removed."""
    at = machine.project(text=SLOW)
    with closed_port() as url:
        run = machine.start("apply", "-auto-approve", at=at, env=machine.reporting_to(url))
        until(lambda: "begun" in (at / "out").read_text())
        until(lambda: (machine.home / "journal.db").exists() and machine.statuses())
        assert list((machine.home / "runs").glob("*/lock"))
        kill(run)
    next_ = machine.project("next")
    env = machine.reporting_to(endpoint.url, "next")
    others = [machine.start("plan", "-lock=false", at=next_, env=env) for _ in range(5)]
    assert [other.wait(90) for other in others] == [0] * 5
    assert machine.flush(machine.reporting_to(endpoint.url)).returncode == 0
    heard = [r.event for r in endpoint.requests if r.place and r.place.workspace == "prod"]
    ended = [event for event in heard if event]
    assert types(ended) == ["provisioning", "failed"]
    assert ended[1]["metadata"]["activity_type"] == "apply"
    assert ended[1]["metadata"]["activity_status"] == "failure"
    assert ended[1]["data"]["interrupted"] == "killed"
    assert ended[1]["data"]["run_id"] == ended[0]["data"]["run_id"]
    assert list((machine.home / "runs").iterdir()) == []
    assert machine.rows("select count(*) from runs where ended_at is null") == [0]


@pytest.mark.exhaustive
def test_killed_at_random_moments_every_run_has_one_end(
    machine: Machine, endpoint: Endpoint
) -> None:
    """For runs that are killed after 0.1, 0.2, … seconds, every run in the journal gets exactly one
    end."""
    at, env = machine.project(), machine.reporting_to(endpoint.url)
    for tenths in range(1, 13):
        run = machine.start("apply", "-auto-approve", at=at, env=env)
        with suppress(subprocess.TimeoutExpired):
            run.wait(tenths / 10)
        kill(run)
        shutil.rmtree(at / ".terraform", ignore_errors=True)
        (at / ".terraform.tfstate.lock.info").unlink(missing_ok=True)
    machine.tf("plan", at=at, env=env)
    assert machine.flush(env).returncode == 0
    assert list((machine.home / "runs").iterdir()) == []
    assert machine.rows("select count(*) from runs where ended_at is null") == [0]
    assert set(machine.statuses()) == {"delivered"}
    ends = "select run_id from events where json_extract(body, '$.event_type') != 'provisioning'"
    ended = machine.rows(ends)
    assert len(ended) == len(set(ended))
    started = machine.rows(ends.replace("!=", "="))
    assert set(started) <= set(ended)
    order = machine.rows("select event_id from events order by seq")
    assert list(dict.fromkeys(ids(endpoint.events))) == order


def test_one_that_was_killed_before_the_journal_knew_it_keeps_its_own_workspace(
    machine: Machine,
) -> None:
    """A run that was killed before it was in the journal is closed with the workspace in its note,
    and not with that of the run that closes it."""
    stay = """
import sys
from tfevents.journal import run_lock
lock = run_lock.acquire(sys.argv[1])
lock.write_note({"operation": "apply", "mode": "destroy", "opened_at": "2026-01-01T00:00:00Z",
              "directory": sys.argv[2], "TFEVENTS_WORKSPACE": "theirs", "TFEVENTS_ORG": "o"})
print("here", flush=True)
sys.stdin.read()
"""
    at = machine.project()
    left = machine.python(stay, str(machine.home), str(at / "caf\udce9"))
    assert left.stdout is not None
    left.stdout.readline()
    left.kill()
    left.communicate()
    env = {"TFEVENTS_WORKSPACE": "mine", "TFEVENTS_PROJECT": "p"}
    machine.tf("plan", at=at, env=env)
    body, *_ = [b for b in machine.bodies() if b["event_type"] == "failed"]
    assert body["metadata"]["activity_type"] == "destroy"
    assert body["data"]["started_at"] == "2026-01-01T00:00:00Z"
    where = "select workspace, org, project from events where body like '%killed%'"
    assert machine.rows(where) == [("theirs", "o", None)]


# Home directories that can't be used


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    """A small disk, mounted at `place` with these options. Skips the test without the right to
    mount."""
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"mode=700,{options}", "tmpfs", place]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def with_home(machine: Machine, home: object, **more: str) -> dict[str, str]:
    return {"TFEVENTS_HOME": str(home), **more}


def assert_delivered_beside(machine: Machine, endpoint: Endpoint, home: Path, words: str) -> None:
    """Asserts that a run without a usable home directory says so in one line and delivers its
    events, and that with the server down its event is kept in the fallback journal."""
    at = machine.project()
    env = {**machine.reporting_to(endpoint.url), "TFEVENTS_HOME": str(home)}
    done = machine.tf("apply", "-auto-approve", at=at, env=env)
    assert done.returncode == 0
    (line,) = ours(done)
    assert words in line
    assert "reported" in line
    assert types(endpoint.events) == ["provisioning", "active"]
    with closed_port() as url:
        down = machine.tf("plan", at=at, env={**env, "TFEVENTS_URL": url})
    assert "kept in the journal" in ours(down)[0]
    assert not list(Path(machine.env["TMPDIR"]).glob("tfevents-*/runs/*"))
    assert [p.name for p in Path(machine.env["TMPDIR"]).iterdir()] == [machine.spare.name]


@pytest.mark.exhaustive
def test_a_home_that_cannot_be_written(machine: Machine, endpoint: Endpoint) -> None:
    """If a file is in the place of the home directory, the fallback journal is used; the next run
    with a usable home directory delivers what waits there."""
    home = machine.root / "file"
    home.write_text("")
    assert_delivered_beside(machine, endpoint, home, f"the journal {home}/journal.db can't be used")
    machine.tf("plan", at=machine.project(), env=machine.reporting_to(endpoint.url))
    assert types(endpoint.events) == ["provisioning", "active", "plan", "plan"]
    assert machine.rows("select count(*) from events", machine.spare) == [0]


@pytest.mark.exhaustive
def test_a_read_only_disk(machine: Machine, endpoint: Endpoint) -> None:
    """The fallback journal is used if the home directory is on a read-only disk, which root can't
    write to either."""
    with mounted(machine.root / "disk", "ro") as home:
        assert_delivered_beside(machine, endpoint, home / "home", "Read-only file system")


@pytest.mark.exhaustive
def test_a_disk_that_is_full(machine: Machine, endpoint: Endpoint) -> None:
    """If the home directory's disk is full, terraform's plan is written elsewhere, and its run
    succeeds."""
    with mounted(machine.root / "disk", "size=256k") as home:
        with open(home / "ballast", "wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        assert_delivered_beside(machine, endpoint, home, "the journal")


@pytest.mark.exhaustive
def test_a_disk_that_is_nearly_full(machine: Machine, endpoint: Endpoint) -> None:
    """If the disk has room for the journal but not for plans, the run's folder is in the fallback
    home directory, where the next run finds a killed run, closes it and removes its folder."""
    with mounted(machine.root / "disk", "size=2m") as home:
        at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
        env["TFEVENTS_HOME"] = str(home)
        run = machine.start("apply", "-auto-approve", at=at, env=env)
        until(lambda: (home / "journal.db").exists() and machine.statuses(home) == ["delivered"])
        assert list((machine.spare / "runs").glob("*/lock"))
        kill(run)
        done = machine.tf("plan", "-lock=false", at=machine.project("next"), env=env)
        assert "reported to" in ours(done)[0]
        assert types(endpoint.events) == ["provisioning", "failed", "apply_needed"]
        assert list((machine.spare / "runs").iterdir()) == []


@pytest.mark.exhaustive
def test_a_disk_that_fills_up_changes_no_order(machine: Machine, endpoint: Endpoint) -> None:
    """If the disk fills up during a run, its end event is kept in the fallback journal and sent
    after the start event, which waits in the home directory's journal."""
    endpoint.script(answer(503, retry_after=3600))
    with mounted(machine.root / "disk", "size=64m") as home:
        at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
        env |= {"TFEVENTS_HOME": str(home), "TFEVENTS_DIRECT": "1"}  # no log that could be removed
        run = machine.start("apply", "-auto-approve", at=at, env=env)
        endpoint.wait_for_requests(1, 60)
        fill(home, 0)
        (at / "go").touch()
        assert run.wait(60) == 0
        assert machine.statuses(machine.spare) == ["pending"]
        free(home)
        assert machine.flush(env).stdout.startswith("2 delivered")
    assert types(endpoint.events) == ["provisioning", "active"]


@pytest.mark.exhaustive
def test_one_that_was_killed_beside_home_is_closed_by_a_flush(
    machine: Machine, endpoint: Endpoint
) -> None:
    """A flush closes a run that was killed while it used the fallback journal, and delivers its
    start event and its end event."""
    at, env = machine.project(text=SLOW), machine.reporting_to(endpoint.url)
    endpoint.script(answer(503, retry_after=3600))
    machine.home.write_text("")  # a file in the place of the home directory
    run = machine.start("apply", "-auto-approve", at=at, env=env)
    endpoint.wait_for_requests(1, 60)
    kill(run)
    machine.home.unlink()
    assert machine.flush(env).stdout == "2 delivered\n1 run without an end, closed\n"
    assert types(endpoint.events) == ["provisioning", "failed"]
    assert list((machine.spare / "runs").iterdir()) == []


@pytest.mark.exhaustive
def test_files_that_may_not_grow(machine: Machine, endpoint: Endpoint) -> None:
    """With RLIMIT_FSIZE 0, which terraform inherits and so can't write its state, tfevents writes
    its one line and is not killed by SIGXFSZ."""
    at, env = machine.project(), {**machine.env, **machine.reporting_to(endpoint.url)}
    done = subprocess.run(
        [SCRIPTS / "tf", "refresh"],
        env=env,
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert done.returncode in (0, 1)
    assert len(ours(done)) == 1
    assert "Traceback" not in done.stderr


def test_a_journal_that_is_garbage(machine: Machine, endpoint: Endpoint) -> None:
    """A journal file that is no database is left as it is; the event is delivered by the fallback
    journal."""
    machine.home.mkdir()
    (machine.home / "journal.db").write_bytes(b"garbage" * 100)
    done = machine.tf("plan", at=machine.project(), env=machine.reporting_to(endpoint.url))
    (line,) = ours(done)
    assert "file is not a database" in line
    assert types(endpoint.events) == ["apply_needed"]
    assert (machine.home / "journal.db").read_bytes() == b"garbage" * 100


@pytest.mark.exhaustive
def test_a_journal_that_somebody_locks(machine: Machine, endpoint: Endpoint) -> None:
    """While another process keeps the journal locked, the run ends and the fallback journal
    delivers its event; each event arrives once."""
    at, env = machine.project(), machine.reporting_to(endpoint.url)
    machine.tf("plan", at=at, env={**env, "TFEVENTS_API_KEY": ""})
    holder = sqlite3.connect(machine.home / "journal.db", isolation_level=None)
    holder.execute("begin exclusive")
    done = machine.tf("plan", at=at, env=env)
    assert done.returncode == 0
    assert "locked" in ours(done)[0]
    assert types(endpoint.events) == ["apply_needed"]
    holder.execute("rollback")
    holder.close()
    machine.tf("plan", at=at, env=env)
    assert len(endpoint.events) == 3
    assert len(set(ids(endpoint.events))) == 3


def test_no_home_at_all(machine: Machine, endpoint: Endpoint) -> None:
    """Without HOME and an entry in passwd, as for an arbitrary uid in a container, the event is
    delivered, one line asks for TFEVENTS_HOME, and no file is created in the working directory."""
    alone = ["unshare", "--user", "--map-user=54321"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to be somebody else")
    at = machine.project()
    env = {**machine.env, **machine.reporting_to(endpoint.url)}
    for name in ("HOME", "TFEVENTS_HOME"):
        env.pop(name)
    (at / ".tfevents.hcl").write_text("timeout = 9")
    done = subprocess.run(
        [*alone, SCRIPTS / "tf", "plan"],
        env=env,
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "name one with TFEVENTS_HOME" in done.stderr
    assert types(endpoint.events) == ["apply_needed"]
    assert sorted(p.name for p in at.iterdir()) == [".tfevents.hcl", "main.tf"]


@pytest.mark.exhaustive
def test_a_relative_home_is_where_we_stand(machine: Machine) -> None:
    """A relative TFEVENTS_HOME starts at the working directory, not at the directory of -chdir."""
    at = machine.project()
    done = machine.tf("-chdir=project", "plan", at=machine.root, env={"TFEVENTS_HOME": "kept"})
    assert done.returncode == 0
    assert (machine.root / "kept" / "journal.db").exists()
    assert sorted(p.name for p in at.iterdir()) == ["main.tf"]


def test_nothing_can_be_written_anywhere(machine: Machine) -> None:
    """If neither the home directory nor a temporary directory can be written, terraform runs, and
    one line says that nothing is reported."""
    at = machine.project()
    nowhere = machine.root / "file"
    nowhere.write_text("")
    env = {"TFEVENTS_HOME": str(nowhere / "home"), "TMPDIR": str(machine.root / "tmp")}
    (machine.root / "tmp").rmdir()
    (machine.root / "tmp").symlink_to(nowhere)
    bare = machine.bare("plan", at=at)
    blind = machine.python(NOWHERE, "plan", env={**env, "AT": str(at)})
    out, error = blind.communicate(timeout=90)
    assert blind.returncode == 0
    assert out == bare.stdout
    assert error == "tfevents: nothing is reported: no directory can be written to\n"


NOWHERE = """
import os, sys, tempfile
tempfile._candidate_tempdir_list = lambda: ["/proc/nowhere"]
os.chdir(os.environ["AT"])
from tfevents.wrapper.main import main
sys.argv[0] = "tf"
sys.exit(main())
"""


@pytest.mark.exhaustive
def test_the_key_is_for_us_alone(machine: Machine, endpoint: Endpoint) -> None:
    """The API key is neither in the environment nor in the arguments of any terraform or git
    process, whether the user's or one that tfevents starts."""
    at = machine.project()
    spy = machine.root / "spy"
    spy.mkdir()
    for name in ("terraform", "git"):
        real = shutil.which(name, path=machine.env["PATH"])
        script = spy / name
        script.write_text(
            f'#!/bin/sh\n{{ env; echo "$@"; }} >> "{machine.root}/seen"\nexec {real} "$@"\n'
        )
        script.chmod(0o755)
    env = machine.reporting_to(endpoint.url, PATH=f"{spy}:{machine.env['PATH']}")
    env["TFEVENTS_PLAN_READER"] = "json"  # otherwise tfevents does not run `terraform show`
    subprocess.run(["git", "init", "-q", at], env=machine.env, check=True)
    assert machine.tf("plan", "-out=p", at=at, env=env).returncode == 0
    assert machine.tf("apply", "p", at=at, env=env).returncode == 0
    seen = (machine.root / "seen").read_text()
    assert "show -json" in seen
    assert "remote.origin.url" in seen
    assert KEY not in seen
    assert types(endpoint.events) == ["apply_needed", "provisioning", "active"]
