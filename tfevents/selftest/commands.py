"""Runs a command through pipes, and compares the results of two commands."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tfevents.selftest.check import CheckFailed

COMMAND_SECONDS = 60
"""The timeout of one command; none in the scratch projects takes more than a few seconds."""
MASKS = (
    (rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", b"UUID"),
    (rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", b"TIME"),
    (rb"(after|elapsed|\[)( ?)(\d+m)?\d+s", rb"\1\2SECONDS"),
    (rb'"elapsed_seconds":\d+', b'"elapsed_seconds":N'),
    (rb"asking for approval: (interrupted|context canceled)", b"asking for approval: ENDED"),
    (rb"run-\d+/(project|home)", rb"DIRECTORY/\1"),
)
"""Pattern and replacement of all that varies between two runs of the same command.

At the prompt, two threads of terraform race to report an interrupt.
"""
CLOSING_NOTE = re.compile(
    rb"(\x1b\[90m)?\n\xe2\x94\x80[\xe2\x94\x80]+(\x1b\[0m)?\n\n"
    rb"Note: You didn't use the -out option(?s:.*)\Z"
)
"""The note about -out with which `plan` ends: the only output that the wrapper leaves out."""
REPORT_LINE = re.compile(rb"(?m)(?:^|(?<=\x1b\[0m))tfevents: [^\n]*\n")


class CommandResult(Struct, frozen=True):
    """Output and exit code of a command; the code is negative if a signal ended it."""

    stdout: bytes
    stderr: bytes
    exit_code: int


def run_command(
    command: Sequence[str | Path], directory: Path, env: Mapping[str, str], stdin: bytes = b""
) -> CommandResult:
    """Runs a command to its end. Raises CheckFailed if that takes longer than COMMAND_SECONDS."""
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=env,
            input=stdin,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CheckFailed(
            f"{' '.join(map(str, command))} did not end within {COMMAND_SECONDS} s"
        ) from None
    return CommandResult(done.stdout, done.stderr, done.returncode)


def compare_results(bare: CommandResult, wrapped: CommandResult, *, ordered: bool = True) -> None:
    """Raises CheckFailed unless both results are the same, but for one line of tfevents on stderr.

    `ordered`: False where terraform itself writes its lines in no fixed order.
    """
    if bare.exit_code != wrapped.exit_code:
        raise CheckFailed(f"exit code {wrapped.exit_code} instead of {bare.exit_code}")
    if len(REPORT_LINE.findall(wrapped.stderr)) > 1:
        raise CheckFailed("more than one line of tfevents on stderr")
    stdout = CLOSING_NOTE.sub(b"", bare.stdout), CLOSING_NOTE.sub(b"", wrapped.stdout)
    _compare_bytes("stdout", *stdout, ordered)
    _compare_bytes("stderr", bare.stderr, REPORT_LINE.sub(b"", wrapped.stderr), ordered)


def _compare_bytes(stream: str, bare: bytes, wrapped: bytes, ordered: bool) -> None:
    expected, found = mask(bare), mask(wrapped)
    if ordered and expected == found:
        return
    wanted, seen = expected.splitlines(), found.splitlines()
    missing, extra = _find_surplus(wanted, seen), _find_surplus(seen, wanted)
    if missing:
        raise CheckFailed(f"{stream} lacks {missing.decode(errors='replace')!r}")
    if extra:
        raise CheckFailed(f"{stream} has {extra.decode(errors='replace')!r} as well")
    if ordered:
        raise CheckFailed(f"{stream}: the lines are the same in another order, or end otherwise")


def _find_surplus(lines: Iterable[bytes], others: Iterable[bytes]) -> bytes | None:
    """The first line that occurs more often in `lines` than in `others`; None if there is none."""
    return next(iter(Counter(lines) - Counter(others)), None)


def mask(text: bytes) -> bytes:
    """Replaces all that varies from run to run with fixed words."""
    for pattern, replacement in MASKS:
        text = re.sub(pattern, replacement, text)
    return text
