"""`tfevents log --follow`: prints runs and events as they change."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint
from support.terminal import Terminal

INTERRUPTED, BROKEN_PIPE = 130, 141


@pytest.fixture
def followed(tfevents: Tfevents, endpoint: Endpoint) -> Iterator[Terminal]:
    """A terminal in which `log --follow` runs, no wider than the rows of manual events need."""
    command = [str(tfevents.program), "log", "--follow"]
    with Terminal(command, env=tfevents.env, cwd=tfevents.cwd, size=(40, 76)) as terminal:
        terminal.expect("when")
        yield terminal


@pytest.mark.exhaustive
def test_on_a_terminal(followed: Terminal, tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log --follow` prints a row for each change of an event, below a single heading, until Ctrl-C
    ends it with exit code 130."""
    tfevents.put("a")
    followed.expect(b"\x1b[33mpending")
    followed.expect("no TFEVENTS_API_KEY is set")
    tfevents.provisioner("exit 4")
    tfevents.run("run", "--", "terraform", "refresh")  # also sends the directory's pending events
    followed.expect(re.compile(rb"\x1b\[32mdelivered.*by hand.*\n"))
    followed.interrupt()
    assert followed.wait() == INTERRUPTED
    lines = followed.screen.splitlines()
    assert lines[-1] == "tfevents: interrupted"
    assert "Traceback" not in followed.screen
    assert max(map(len, lines)) <= 76
    told = [words for words in map(str.split, lines) if words[-2:] == ["by", "hand"]]
    assert [words[-4] for words in told] == ["pending", "delivered"]
    assert sum(line.startswith("when") for line in lines) == 1


@pytest.mark.exhaustive
def test_a_run_that_is_killed(followed: Terminal, tfevents: Tfevents) -> None:
    """`log --follow` itself notices a killed run; no other command has to be run."""
    started = tfevents.provisioner_that_waits()
    run = tfevents.without_key().start("run", "--", "terraform", "refresh")
    followed.expect(b"\x1b[36mrunning")
    while not started.exists():
        time.sleep(0.05)
    run.kill()
    started.unlink()
    run.communicate()
    followed.expect(b"\x1b[31m killed")


def test_for_programs(tfevents: Tfevents, endpoint: Endpoint) -> None:
    """`log --follow --json` prints the latest entries, then one line for each change of a run or
    event, with the same filters and the same JSON as `log --json`."""
    tfevents.run("send", "plan", "--workspace", "other")
    for name in ("a", "b"):
        tfevents.run("send", "plan", "--data", f"name={name}")
    words = ("log", "--follow", "--json", "-n", "1", "--workspace", "prod")
    with tfevents.start(*words) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["event"]["data"]["name"] == "b"
        tfevents.run("send", "plan", "--workspace", "other")  # filtered out by --workspace
        tfevents.provisioner("exit 4")
        tfevents.run("run", "--", "terraform", "refresh")
        run = json.loads(follower.stdout.readline())
        while not run["events"] or run["events"][-1]["status"] != "delivered":
            run = json.loads(follower.stdout.readline())
        assert run == tfevents.json("log", "--json")["runs"][-1]
        follower.send_signal(signal.SIGINT)
        assert follower.wait() == INTERRUPTED


def test_nobody_reads_on(tfevents: Tfevents) -> None:
    """`log --follow` ends silently once its stdout is closed, also if nothing happens in the
    journal."""
    with tfevents.start("log", "--follow") as follower:
        assert follower.stdout is not None
        assert follower.stderr is not None
        assert follower.stdout.readline().startswith(b"when")
        follower.stdout.close()
        assert follower.wait() == BROKEN_PIPE
        assert follower.stderr.read() == b""


def test_one_run_is_not_followed(tfevents: Tfevents) -> None:
    """`log ID` takes no other option than `--json`, so `--follow` is an error."""
    assert "it takes no option but --json" in tfevents.fails(2, "log", "--follow", "c0ffee")
