"""Signals to `tf` or to its process group: terraform gets each exactly once."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from support.endpoint import Endpoint
from support.engines import clean_env, terraform
from support.exhaustive import exhaustive_except
from support.standin import script_engine, signals_of
from support.step import HANG
from support.terminal import Terminal
from support.twins import TF
from support.warm import read_log

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
LAST = {number: next(n for n in SIGNALS if n != number) for number in SIGNALS}
"""For each signal another one, which a test sends to `tf` alone afterwards: once terraform has got
this last signal, the number of earlier ones is final."""

PATIENT = """
count(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
if argv[0] != "apply":
    sys.exit(1)
say("working")
while not os.path.exists("release"):
    select.select([woken], [], [], 0.02)
sys.exit(1)
"""
"""A terraform that counts its signals, and ends only when there is a file `release`."""

UNUSED = (
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF),
    *(signal.SIGXCPU, signal.SIGIO, signal.SIGPWR, signal.SIGRTMIN + 1, signal.SIGRTMAX),
)
"""Signals that terraform ignores without being asked to, like every Go program."""

GO = f"""
for number in {tuple(map(int, UNUSED))}:
    if signal.getsignal(number) is signal.SIG_IGN:
        sys.exit("inherited as ignored")
    signal.signal(number, signal.SIG_IGN)
"""
"""Makes an engine ignore UNUSED; it ends if it was started with one of them ignored."""

BLOCKED = """
import os, signal, sys
from tfevents.wrapper.signals import SignalForwarder

def start_child():
    code = "import time; time.sleep(1); raise SystemExit(3)"
    return os.posix_spawn(sys.executable, [sys.executable, "-c", code], {})

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
with SignalForwarder() as signals:
    signals.start(start_child)
    print(signals.wait())
"""
"""Waits for a child process, after a start with SIGCHLD blocked."""

REFUSED = """
import os, signal, sys
from tfevents.wrapper.signals import SignalForwarder

def refuse(pid, number):
    raise PermissionError(1, "Operation not permitted")

def start_child():
    signal.raise_signal(signal.SIGTERM)
    return os.posix_spawn(sys.executable, [sys.executable, "-c", "raise SystemExit(3)"], {})

os.kill = refuse
with SignalForwarder() as signals:
    signals.start(start_child)
    print(signals.wait(), signals.received)
"""
"""Forwards a signal to a child process that must not be signalled."""

HELD = """\
resource "terraform_data" "held" {
  provisioner "local-exec" {
    command = "trap '' INT TERM HUP; touch working; until [ -e release ]; do sleep 0.05; done"
  }
}
"""


DELIVERY = {
    "TFEVENTS_API_KEY": "pat.acct.keyid.secret",
    "TFEVENTS_ORG": "org",
    "TFEVENTS_PROJECT": "proj",
    "TFEVENTS_WORKSPACE": "ws",
    "TFEVENTS_TIMEOUT": "600",
}


@dataclass(frozen=True)
class Bench:
    """A directory, its environment, and the engine that `tf` finds there."""

    place: Path
    env: Mapping[str, str]
    engine: Path

    @property
    def names(self) -> list[str]:
        """The names of the signals that the engine got, in order."""
        return [name for name, _ in signals_of(self.engine)]

    @contextmanager
    def run(self, *words: str, before: Sequence[str] = ()) -> Iterator[subprocess.Popen[bytes]]:
        """Starts `tf` in a session of its own, with the command `before` in front; kills the
        process group at the end."""
        process = subprocess.Popen(
            [*before, TF, *words],
            cwd=self.place,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def release(self) -> None:
        """Lets the engine end."""
        (self.place / "release").touch()

    def told(self) -> dict[str, Any]:
        """The last run in `tfevents log --json`."""
        run: dict[str, Any] = read_log(self.env)["runs"][-1]
        return run


def bench(tmp_path: Path, engine: Path) -> Bench:
    """A project directory with this engine; tfevents adds nothing to the engine's command line and
    environment."""
    place = tmp_path / "project"
    place.mkdir()
    env = {**clean_env(tmp_path / "home", engine), "TFEVENTS_DIRECT": "1"}
    return Bench(place, env, engine)


@pytest.fixture
def patient(tmp_path: Path) -> Bench:
    """A project directory with a terraform that only counts its signals."""
    return bench(tmp_path, script_engine(tmp_path / "terraform", PATIENT))


def said(process: subprocess.Popen[bytes], line: bytes) -> None:
    """Waits until stdout has a line with `line`; AssertionError at its end."""
    assert process.stdout is not None
    for got in process.stdout:
        if line in got:
            return
    raise AssertionError(f"{line!r} was not said")


def until(met: Callable[[], bool]) -> None:
    """Waits for a condition; AssertionError after 60 seconds."""
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline, "it did not come to that"
        select.select([], [], [], 0.02)


def gone(group: int) -> bool:
    """Whether no process of this process group runs any more; zombies don't count."""
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group_of = place.read_text().rpartition(")")[2].split()[:3]
            if int(group_of) == group and state != "Z":
                return False
    return True


@pytest.mark.parametrize("number", exhaustive_except(SIGNALS, signal.SIGINT))
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["us-alone", "the-group"])
def test_terraform_gets_it_once(
    patient: Bench, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """Terraform gets a signal once, whether it was sent to `tf` alone (`kill PID`) or to the whole
    group (`timeout`, a cancelled CI job): after a second interrupt terraform may lose its state."""
    with patient.run("apply", "-auto-approve") as tf:
        said(tf, b"working")
        send(tf.pid, number)
        until(lambda: bool(patient.names))
        os.kill(tf.pid, LAST[number])
        until(lambda: LAST[number].name in patient.names)
        patient.release()
        tf.wait(60)
    assert patient.names == [number.name, LAST[number].name]


def test_a_second_one_is_handed_on_too(patient: Bench) -> None:
    """Repeated signals to `tf` are all forwarded: at the second one terraform gives up, which is
    the sender's decision."""
    with patient.run("apply", "-auto-approve") as tf:
        said(tf, b"working")
        for times in (1, 2, 3):
            os.kill(tf.pid, signal.SIGTERM)
            until(lambda times=times: len(patient.names) == times)  # type: ignore[misc]
        patient.release()
        tf.wait(60)
    assert patient.names == ["SIGTERM"] * 3


@pytest.mark.exhaustive
def test_a_signal_that_is_ignored_stays_ignored(patient: Bench) -> None:
    """With `nohup tf apply`, SIGHUP is ignored by `tf` and by terraform, and SIGTERM is still
    forwarded and reported."""
    with patient.run("apply", "-auto-approve", before=["nohup"]) as tf:
        said(tf, b"working")
        os.killpg(tf.pid, signal.SIGHUP)
        os.kill(tf.pid, signal.SIGTERM)
        until(lambda: "SIGTERM" in patient.names)
        patient.release()
        tf.wait(60)
    assert "SIGTERM" in patient.names
    assert patient.told()["events"][-1]["event"]["data"]["interrupted"] == "SIGTERM"


@pytest.mark.exhaustive
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["us-alone", "the-group"])
def test_a_signal_that_terraform_ignores_is_ignored(
    tmp_path: Path, send: Callable[[int, int], None]
) -> None:
    """A signal that terraform ignores, as schedulers send them to warn, ends neither `tf` nor its
    probe process; terraform does not inherit it as ignored."""
    go = bench(tmp_path, script_engine(tmp_path / "terraform", GO + PATIENT))
    with go.run("apply", "-auto-approve") as tf:
        said(tf, b"working")
        for number in UNUSED:
            send(tf.pid, number)
        os.killpg(tf.pid, signal.SIGTERM)
        until(lambda: bool(go.names))
        os.kill(tf.pid, signal.SIGHUP)
        until(lambda: "SIGHUP" in go.names)
        go.release()
        assert tf.wait(60) == 1
    assert go.names == ["SIGTERM", "SIGHUP"]


def test_a_start_with_signals_blocked() -> None:
    """If `tf` is started with SIGCHLD blocked, which not every shell undoes, it notices the end of
    terraform."""
    command = [sys.executable, "-c", BLOCKED]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    assert done.stdout == b"3\n"


def test_a_terraform_of_another_user() -> None:
    """If terraform runs as another user (a shim with `sudo`), a signal that can't be forwarded to
    it does not end `tf`, which waits for terraform."""
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, check=False)
    assert done.stdout == b"3 [15]\n", done.stderr


@pytest.mark.exhaustive
def test_ctrl_c_before_an_import(tmp_path: Path) -> None:
    """A signal while the report of an import is prepared ends `tf` at once: the state before the
    import, which is not needed any more, is not waited for."""
    slow = bench(tmp_path, script_engine(tmp_path / "terraform", "hang()\n"))
    with slow.run("import", "terraform_data.a", "x") as tf:
        until(lambda: any((tmp_path / "home").rglob("run")))
        os.kill(tf.pid, signal.SIGINT)
        assert tf.wait(30) == -signal.SIGINT


@pytest.mark.exhaustive
def test_a_busy_machine_changes_nothing(patient: Bench) -> None:
    """Terraform gets each signal once on a busy machine, too, where the probe process may report a
    signal late."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
    try:
        with patient.run("apply", "-auto-approve") as tf:
            said(tf, b"working")
            os.killpg(tf.pid, signal.SIGINT)
            until(lambda: bool(patient.names))
            os.kill(tf.pid, signal.SIGTERM)
            until(lambda: "SIGTERM" in patient.names)
            patient.release()
            tf.wait(60)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert patient.names == ["SIGINT", "SIGTERM"]


def test_ctrl_c_in_a_terminal_reaches_terraform_once(patient: Bench) -> None:
    """Terraform gets Ctrl-C only from the terminal, and not a second time from `tf`."""
    with Terminal([TF, "apply", "-auto-approve"], env=patient.env, cwd=patient.place) as terminal:
        terminal.expect("working")
        terminal.interrupt()
        until(lambda: bool(patient.names))
        os.kill(terminal.pid, signal.SIGTERM)
        until(lambda: "SIGTERM" in patient.names)
        patient.release()
        assert terminal.wait() == 1
    assert patient.names == ["SIGINT", "SIGTERM"]


@pytest.mark.exhaustive
def test_ctrl_backslash_in_a_terminal_ends_as_it_ends_terraform(tmp_path: Path) -> None:
    """At Ctrl-backslash (SIGQUIT) terraform prints its goroutines once and exits with 2; the
    journal has the exit code and the signal."""
    real = bench(tmp_path, terraform())
    (real.place / "main.tf").write_text(HELD)
    for program in (terraform(), TF):
        (real.place / "working").unlink(missing_ok=True)
        command = [program, "apply", "-auto-approve", "-lock=false"]
        with Terminal(command, env=real.env, cwd=real.place) as terminal:
            until((real.place / "working").exists)
            terminal.send(b"\x1c")
            assert terminal.wait() == 2
            assert terminal.output.count(b"SIGQUIT: quit") == 1
    run = real.told()
    assert run["exit_code"] == 2
    assert run["events"][-1]["event"]["data"]["interrupted"] == "SIGQUIT"


@pytest.mark.parametrize("whom", exhaustive_except(["tf", "group"], "group"))
@pytest.mark.parametrize(
    "number", exhaustive_except((signal.SIGINT, signal.SIGTERM), signal.SIGTERM)
)
def test_terraform_ends_gracefully(tmp_path: Path, number: signal.Signals, whom: str) -> None:
    """The real terraform, signalled once, releases its state lock, and the event has the signal's
    name."""
    real = bench(tmp_path, terraform())
    (real.place / "main.tf").write_text(HELD)
    with real.run("apply", "-auto-approve", "-no-color") as tf:
        until((real.place / "working").exists)
        (os.kill if whom == "tf" else os.killpg)(tf.pid, number)
        said(tf, b"Interrupt received.")
        real.release()
        out, _ = tf.communicate(timeout=60)
    assert b"Two interrupts" not in out
    assert not (real.place / ".terraform.tfstate.lock.info").exists()
    end = real.told()["events"][-1]["event"]
    assert end["event_type"] == "failed"
    assert end["data"]["interrupted"] == number.name


DEADLY = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP)


@pytest.mark.parametrize("number", exhaustive_except(DEADLY, signal.SIGINT, signal.SIGKILL))
def test_we_die_as_terraform_died(tmp_path: Path, number: signal.Signals) -> None:
    """If terraform dies of a signal, `tf` dies of the same signal, and the journal has the exit
    code 128 + n."""
    dies = bench(tmp_path, script_engine(tmp_path / "terraform", f"die({int(number)})\n"))
    with dies.run("apply", "-auto-approve") as tf:
        assert tf.wait(60) == -number
    run = dies.told()
    assert run["events"][-1]["event"]["event_type"] == "failed"
    assert run["exit_code"] == 128 + number


def test_no_process_is_left_after_a_kill(patient: Bench) -> None:
    """If `tf` is killed, no process of its group is left once terraform has ended."""
    with patient.run("apply", "-auto-approve") as tf:
        said(tf, b"working")
        tf.kill()
        tf.wait(60)
        patient.release()
        until(lambda: gone(tf.pid))


def test_a_signal_while_we_report_hurries_us(tmp_path: Path) -> None:
    """A signal after terraform's end shortens the wait for delivery; the exit code is terraform's,
    and the event stays in the journal."""
    quick = bench(tmp_path, script_engine(tmp_path / "terraform", "sys.exit(1)\n"))
    with Endpoint() as endpoint:
        endpoint.always(HANG)
        late = replace(quick, env={**quick.env, **DELIVERY, "TFEVENTS_URL": endpoint.url})
        with late.run("refresh") as tf:
            endpoint.wait_for_requests(1)
            os.kill(tf.pid, signal.SIGTERM)
            assert tf.wait(60) == 1  # although TFEVENTS_TIMEOUT allows 600 s
    assert late.told()["events"][-1]["status"] == "pending"
