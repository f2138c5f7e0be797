"""`tfevents log --follow`: what happens, while it happens."""

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
    """A person's terminal, no wider than the words by hand need, in which it runs."""
    command = [str(tfevents.program), "log", "--follow"]
    with Terminal(command, env=tfevents.env, cwd=tfevents.cwd, size=(40, 76)) as terminal:
        terminal.expect("when")
        yield terminal


@pytest.mark.exhaustive
def test_on_a_terminal(followed: Terminal, tfevents: Tfevents, endpoint: Endpoint) -> None:
    """What runs, what became of it, each once below one head; Ctrl-C ends it as it ends others."""
    tfevents.put("a")
    followed.expect(b"\x1b[33mpending")
    followed.expect("no TFEVENTS_API_KEY is set")
    tfevents.provisioner("exit 4")
    tfevents.run("run", "--", "terraform", "refresh")  # which sends what its directory put before
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
    """Nobody else has to come by for it to be noticed."""
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
    """The latest, then each run or event as it is whenever something happens to it, one a line."""
    tfevents.run("send", "plan", "--workspace", "other")
    for name in ("a", "b"):
        tfevents.run("send", "plan", "--data", f"name={name}")
    words = ("log", "--follow", "--json", "-n", "1", "--workspace", "prod")
    with tfevents.start(*words) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["event"]["data"]["name"] == "b"
        tfevents.run("send", "plan", "--workspace", "other")  # not asked for
        tfevents.provisioner("exit 4")
        tfevents.run("run", "--", "terraform", "refresh")
        run = json.loads(follower.stdout.readline())
        while not run["events"] or run["events"][-1]["status"] != "delivered":
            run = json.loads(follower.stdout.readline())
        assert run == tfevents.json("log", "--json")["runs"][-1]
        follower.send_signal(signal.SIGINT)
        assert follower.wait() == INTERRUPTED


def test_nobody_reads_on(tfevents: Tfevents) -> None:
    """It ends by itself, also while nothing happens, and without a word."""
    with tfevents.start("log", "--follow") as follower:
        assert follower.stdout is not None
        assert follower.stderr is not None
        assert follower.stdout.readline().startswith(b"when")
        follower.stdout.close()
        assert follower.wait() == BROKEN_PIPE
        assert follower.stderr.read() == b""


def test_one_run_is_not_followed(tfevents: Tfevents) -> None:
    """And not filtered: all of it is shown."""
    assert "it takes no option but --json" in tfevents.fails(2, "log", "--follow", "c0ffee")
