"""The terminal of the tests is a real terminal."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from support.terminal import Terminal, session_of

ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

# Not a shell: dash loses a Ctrl-C that comes while it starts a command.
READY = (
    "import select, signal; signal.signal(signal.SIGINT, signal.SIG_DFL);"
    "print('ready', flush=True); select.select([], [], [])"
)


def python(source: str) -> list[str]:
    return [sys.executable, "-Ic", source]


def test_all_three_descriptors_are_the_controlling_terminal(tmp_path: Path) -> None:
    source = "import os; print([os.isatty(n) for n in (0, 1, 2)], open('/dev/tty').isatty());"
    source += "print(os.getpid() == os.getsid(0) == os.tcgetpgrp(0), os.getcwd(), dict(os.environ))"
    with Terminal(python(source), env=ENV, cwd=tmp_path) as terminal:
        assert terminal.wait() == 0
    assert "[True, True, True] True" in terminal.screen
    assert f"True {tmp_path}" in terminal.screen.replace("\n", "")
    assert "HOME" not in terminal.screen


def test_control_sequences_arrive_raw_and_are_left_out_of_the_screen() -> None:
    with Terminal(["printf", r"\033[1mbold\033[0m\n"], env=ENV) as terminal:
        assert terminal.wait() == 0
    assert terminal.output == b"\x1b[1mbold\x1b[0m\r\n"
    assert terminal.screen == "bold\n"


def test_lines_are_typed_and_what_comes_back_is_awaited_in_order() -> None:
    source = "a = input('one: '); b = input('two: '); print('sum', a + b)"
    with Terminal(python(source), env=ENV) as terminal:
        terminal.expect("one: ")
        terminal.send("x\n")
        terminal.expect("two: ")
        terminal.send("y\n")
        terminal.expect("sum xy")
        with pytest.raises(AssertionError, match="sum"):
            terminal.expect("sum", timeout=0.1)
        assert terminal.wait() == 0


def test_ctrl_c_is_a_signal_to_the_foreground_group() -> None:
    with Terminal(python(READY), env=ENV) as terminal:
        terminal.expect("ready")
        terminal.interrupt()
        assert terminal.wait(10) == -signal.SIGINT


def test_ctrl_d_ends_the_input() -> None:
    with Terminal(["sh", "-c", "echo ready; cat; echo ended"], env=ENV) as terminal:
        terminal.expect("ready")
        terminal.end_of_input()
        terminal.expect("ended")


def test_hanging_up_is_sighup() -> None:
    with Terminal(python(READY), env=ENV) as terminal:
        terminal.expect("ready")
        terminal.hang_up()
        assert terminal.wait(10) == -signal.SIGHUP


def test_a_signal_to_the_command_alone_is_its_exit_status() -> None:
    with Terminal(["sleep", "60"], env=ENV) as terminal:
        terminal.kill(signal.SIGTERM)
        assert terminal.wait(10) == -signal.SIGTERM


def test_the_size_is_set_and_can_change() -> None:
    source = (
        "import os, signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH]);"
        "print(*os.get_terminal_size()); signal.sigwait([signal.SIGWINCH]);"
        "print(*os.get_terminal_size())"
    )
    with Terminal(python(source), env=ENV, size=(33, 99)) as terminal:
        terminal.expect("99 33")
        terminal.resize(20, 50)
        terminal.expect("50 20")
        assert terminal.wait() == 0


def test_exit_codes_and_missing_commands() -> None:
    with Terminal(["sh", "-c", "exit 7"], env=ENV) as terminal:
        assert terminal.wait() == 7
    with Terminal(["no-such-command"], env=ENV) as terminal:
        assert terminal.wait() == 127
    assert "no-such-command" in terminal.screen


def test_everything_that_was_written_is_read() -> None:
    source = "import sys; sys.stdout.write('x' * 500_000 + 'end')"
    with Terminal(python(source), env=ENV) as terminal:
        assert terminal.wait() == 0
    assert len(terminal.output) == 500_003


def test_leaving_kills_the_whole_session(tmp_path: Path) -> None:
    script = "(trap '' HUP INT TERM; sleep 60) & echo ready; wait"
    with Terminal(["sh", "-c", script], env=ENV) as terminal:
        terminal.expect("ready")
        members = session_of(terminal.pid)
        assert len(members) >= 2
    deadline = time.monotonic() + 5
    while any(_running(pid) for pid in members):
        assert time.monotonic() < deadline, "the session outlived its terminal"
        os.sched_yield()


def _running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
