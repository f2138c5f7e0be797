"""The effect of a checkout's and of the user's settings files on runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import KEY, SCRIPTS, Machine
from support.warm import run_tfevents

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def place(machine: Machine) -> Path:
    """A project in a git checkout."""
    (machine.root / ".git").mkdir()
    return machine.project()


@pytest.fixture
def evil() -> Iterator[Endpoint]:
    """A second server, which only settings files name."""
    with Endpoint() as server:
        yield server


def write_user(machine: Machine, text: str) -> None:
    """Writes the user's own settings file."""
    path = Path(machine.env["HOME"], ".config", "tfevents", "config.hcl")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_checkout_that_wants_too_much(
    machine: Machine, place: Path, endpoint: Endpoint, evil: Endpoint
) -> None:
    """Settings that a checkout may not contain have no effect but one line on stderr: events go to
    the user's server only, with the user's API key."""
    (place / "token").write_text("pat.theirs.a.b")
    (machine.root / ".tfevents.hcl").write_text(
        f'harness {{\n  url = "{evil.url}"\n  api_key_file = "project/token"\n  org = "o"\n}}\n'
        'quiet = true\nstrict = true\nprovisioner = "./x.sh"\nartefacts = "plan,state"\n'
    )
    env = machine.reporting_to(endpoint.url, TFEVENTS_ORG="")
    done = machine.tf("plan", at=place, env=env)
    assert done.returncode == 0, done.stderr
    assert "line 2, url, line 3, api_key_file, line 6, quiet" in done.stderr
    assert done.stderr.count("\n") == 1
    assert [event["event_type"] for event in endpoint.events] == ["apply_needed"]
    assert {request.headers["x-api-key"] for request in endpoint.requests} == {KEY}
    assert all("/orgs/o/" in request.target for request in endpoint.requests)
    assert evil.connections == 0


@pytest.mark.parametrize("where", exhaustive_except(["checkout", "user"], "checkout"))
def test_a_key_of_a_variable_goes_to_no_server_of_a_file(
    machine: Machine, place: Path, evil: Endpoint, where: str
) -> None:
    """An API key from a variable is not sent to a server from a settings file: the event is kept,
    and one line says what to set. A key from the same file is sent."""
    text = f'harness {{\n  url = "{evil.url}"\n}}\n'
    if where == "user":
        write_user(machine, text)
    else:
        (place / ".tfevents.hcl").write_text(text)
    env = {"TFEVENTS_API_KEY": KEY, "TFEVENTS_ORG": "o", "TFEVENTS_PROJECT": "p"}
    done = machine.tf("plan", at=place, env={**env, "TFEVENTS_WORKSPACE": "w"})
    assert done.returncode == 0
    assert "line 2, url: the key of TFEVENTS_API_KEY is not sent there: set " in done.stderr
    assert evil.connections == 0
    assert machine.rows("select count(*) from events") == [1]
    if where == "user":
        write_user(machine, text.replace("}", f'  api_key = "{KEY}"\n}}'))
        del env["TFEVENTS_API_KEY"]
        assert machine.flush(env).returncode == 0
        assert [event["event_type"] for event in evil.events] == ["apply_needed"]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 20 << 20)


def _long(path: Path) -> None:
    path.write_text('workspace "w" { directory = "x" }\n' * 30_000)


def _nul(path: Path) -> None:
    path.write_text('workspace "w" { directory = "a\\u0000b" }\n\0')


@pytest.mark.exhaustive
@pytest.mark.parametrize("make", exhaustive_except([_fifo, _sparse, _long, _nul], _fifo, _long))
@pytest.mark.parametrize("words", [["plan"], ["version"]])
def test_a_file_that_is_none_keeps_nobody_waiting(
    machine: Machine, place: Path, endpoint: Endpoint, make: object, words: list[str]
) -> None:
    """A FIFO, or a file that is too large or invalid, in place of a settings file does not delay
    terraform; a run that is reported has one line about it."""
    assert callable(make)
    make(machine.root / ".tfevents.hcl")
    done = machine.tf(*words, at=place, env=machine.reporting_to(endpoint.url))
    assert done.returncode == 0, done.stderr
    assert (f"{machine.root}/.tfevents.hcl" in done.stderr) is (words == ["plan"])
    assert endpoint.connections == 0


def ways_in(machine: Machine, place: Path, env: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    """Runs each command that reports; yields its name, exit code and stderr."""
    ways = {
        "tf": ["tf", "plan"],
        "run": ["tfevents", "run", "--", "terraform", "plan"],
        "hook": ["tfevents", "hook", "after", "plan", "--exit-code", "2"],
        "plugin": ["tfevents", "plugin"],
        "send": ["tfevents", "send", "plan"],
    }
    whole = {**machine.env, **env}
    for name, (program, *words) in ways.items():
        if program == "tf":
            done = machine.tf(*words, at=place, env=env)
            yield name, done.returncode, done.stderr
        else:
            said = run_tfevents(words, env=whole, cwd=place)
            yield name, said.returncode, said.stderr.decode()


@pytest.mark.exhaustive
def test_strict_of_the_users_file_holds_in_every_way_in(machine: Machine, place: Path) -> None:
    """`strict` in the user's file applies to every command, also if the checkout's file is invalid;
    TFEVENTS_STRICT has precedence."""
    write_user(machine, "strict = true\ntimeout = 1\n")
    env = machine.reporting_to(NOWHERE)
    assert {name: code for name, code, _ in ways_in(machine, place, env)} == dict.fromkeys(
        ("tf", "run", "hook", "plugin", "send"), 86
    )
    off = {**env, "TFEVENTS_STRICT": "0"}
    assert {code for _, code, _ in ways_in(machine, place, off)} == {0}
    (place / ".tfevents.hcl").write_text("harness {")
    codes = {name: code for name, code, _ in ways_in(machine, place, env)}
    assert codes == {"tf": 86, "run": 86, "hook": 86, "plugin": 86, "send": 2}
    wrong = [SCRIPTS / "tfevents", "hook", "after", "plan", "--no-such-option"]
    assert (
        subprocess.run(wrong, env={**machine.env, **env}, cwd=place, check=False).returncode == 86
    )


@pytest.mark.exhaustive
def test_quiet_of_the_users_file_holds_in_every_way_in(machine: Machine, place: Path) -> None:
    """`quiet` in the user's file silences every command but `send`, whose line is its result."""
    env = machine.reporting_to(NOWHERE, TFEVENTS_TIMEOUT="1")
    assert all("tfevents: " in said for _, _, said in ways_in(machine, place, env))
    write_user(machine, "quiet = true\n")
    said = {name for name, _, text in ways_in(machine, place, env) if "tfevents: " in text}
    assert said == {"send"}


@pytest.mark.exhaustive
def test_direct_of_the_users_file_holds_in_every_way_in(machine: Machine, place: Path) -> None:
    """`direct` in the user's file applies to every command: nothing is added to a plan, so its
    counts are absent. In a checkout's file it has no effect."""
    (place / ".tfevents.hcl").write_text("direct = true")
    with Endpoint() as endpoint:
        env = machine.reporting_to(endpoint.url, TF_CLI_ARGS_plan="-detailed-exitcode")
        for counts in ("exact", "absent"):
            for name, _, _ in ways_in(machine, place, env):
                events = [e for e in endpoint.events if e["event_type"] == "apply_needed"]
                assert name in ("hook", "send") or events[-1]["data"]["counts"] == counts, name
            write_user(machine, "direct = true")
