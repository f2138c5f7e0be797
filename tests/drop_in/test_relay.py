"""The closing line of a destroy, and the process that gives it back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tfevents.relay
from tfevents.relay import Closing

APPLIED = b"Apply complete! Resources: 0 added, 0 changed, %d destroyed."
DONE = b"terraform_data.a: Destruction complete after 0s\n"
OUTPUTS = b'\nOutputs:\n\no = "d"\n'
FAKE = b"x = <<EOT\n" + APPLIED % 9 + b"\n\nOutputs:\n\nEOT\n"


def shown(data: bytes, size: int) -> bytes:
    closing = Closing()
    parts = [closing.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join(parts) + closing.end()


COLOURED = b"\x1b[0m\x1b[1m\x1b[32m\n" + APPLIED % 1 + b"\n\x1b[0m"
COLOURED_DONE = b"\x1b[0m\x1b[1m\x1b[32m\nDestroy complete! Resources: 1 destroyed.\n\x1b[0m"
LINES = [
    (DONE + b"\n" + APPLIED % 1 + b"\n", DONE + b"\nDestroy complete! Resources: 1 destroyed.\n"),
    (DONE + COLOURED, DONE + COLOURED_DONE),
    (DONE + COLOURED + b"\x1b[0m\x1b[1m\x1b[32m" + OUTPUTS, DONE + COLOURED_DONE),
    (APPLIED % 3 + b"\n" + OUTPUTS, b"Destroy complete! Resources: 3 destroyed.\n"),
    (APPLIED % 3 + b"\n" + OUTPUTS + FAKE, b"Destroy complete! Resources: 3 destroyed.\n"),
    (
        APPLIED % 9 + b"\nmore\n" + APPLIED % 1 + b"\n",
        APPLIED % 9 + b"\nmore\nDestroy complete! Resources: 1 destroyed.\n",
    ),
    (DONE + APPLIED % 9 + b"\nlater\n", DONE + APPLIED % 9 + b"\nlater\n"),
    (DONE, DONE),
    (b"Apply comp", b"Apply comp"),
    (APPLIED % 1, APPLIED % 1),
    (b"", b""),
    (
        b"Apply complete! Resources: 2 imported, 0 added, 0 changed, 1 destroyed.\n",
        b"Destroy complete! Resources: 1 destroyed.\n",
    ),
    (
        b"Apply complete! Resources: 0 added, 0 changed, 2 destroyed, 1 forgotten.\n",
        b"Destroy complete! Resources: 2 destroyed.\n",
    ),
    (b"x (local-exec): " + APPLIED % 9 + b"\n", b"x (local-exec): " + APPLIED % 9 + b"\n"),
]


@pytest.mark.parametrize("size", [1, 2, 7, 65536])
@pytest.mark.parametrize(("said", "wanted"), LINES)
def test_only_the_closing_line_is_given_back(said: bytes, wanted: bytes, size: int) -> None:
    """However its bytes arrive: the last such line, and no outputs behind it."""
    assert shown(said, size) == wanted


def test_nothing_else_waits() -> None:
    """A line that can't be the closing line any more is shown at once, whole or not."""
    closing = Closing()
    assert closing.feed(DONE + b"terraform_data.b: Destr") == DONE + b"terraform_data.b: Destr"
    assert closing.feed(b"oying...\nApply com") == b"oying...\n"
    assert closing.feed(b"fort\n") == b"Apply comfort\n"


def relay(stdin: int, stdout: int) -> tuple[subprocess.Popen[bytes], bytes]:
    """The relay as tf starts it, once it is there, and what it said on its third descriptor."""
    command = [sys.executable, "-I", "-S", tfevents.relay.__file__]
    child = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    assert child.stderr is not None
    return child, child.stderr.read(1)


def test_the_relay_says_that_it_is_there_and_gives_everything_on(tmp_path: Path) -> None:
    """Its third descriptor is for that alone: it has no other use for it."""
    reading, writing = os.pipe()
    with open(tmp_path / "out", "wb") as out:
        child, ready = relay(reading, out.fileno())
    os.write(writing, DONE + COLOURED)
    for descriptor in (reading, writing):
        os.close(descriptor)
    assert child.wait(30) == 0
    assert ready == b"+"
    assert child.stderr and child.stderr.read() == b""
    child.stderr.close()
    assert (tmp_path / "out").read_bytes() == DONE + COLOURED_DONE


def test_a_reader_that_went_away_does_not_stop_it() -> None:
    """Terraform's stdout stays open to its end, in the middle of a destroy above all."""
    reading, writing = os.pipe()
    gone, out = os.pipe()
    child, _ = relay(reading, out)
    for descriptor in (reading, gone, out):
        os.close(descriptor)
    for _ in range(100):
        os.write(writing, b"x" * 4096)
    os.close(writing)
    assert child.wait(30) == 0
    assert child.stderr
    child.stderr.close()


def test_it_is_a_script_of_the_standard_library() -> None:
    """It starts without site-packages, where nothing of ours is to be found."""
    code = "import sys; sys.argv = [sys.argv[1]]; exec(open(sys.argv[0]).read(), {'__name__': ''})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, tfevents.relay.__file__], check=False
    )
    assert done.returncode == 0


def test_a_signal_number_is_no_reason_to_end() -> None:
    """Whoever ends the run ends terraform; the relay ends when terraform has."""
    assert set(tfevents.relay.GROUP) >= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
