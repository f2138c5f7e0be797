"""A spoiled core log raises no error and gives no count above that of the whole log."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from support.core_logs import ALL, Recording, parse_core_log
from support.fuzzing import Examples

from tfevents.terraform.changes import count_resources

STAMP = b"2026-11-27T09:22:01.823Z [TRACE] "
NOISE = (
    *(b"\n", b"\xff\x00 {]\n", b"x: applying the planned Create change\n", STAMP + b"vertex "),
    STAMP + b"provider.stdio: received data\n",
    STAMP + b'vertex "x": visit complete\n',
)
"""Text that says nothing of an object: other output, and the beginning of a line that another
process's write cut off."""
ODD = (
    *(
        b"Terraform version: 1.5\xff",
        b"CLI args: \xff",
        b"writeChange: recorded NoOp change for \xff",
    ),
    b'statemgr.Filesystem: read snapshot with lineage "\xff" serial ' + b"9" * 5000,
    b'statemgr.Filesystem: read snapshot with lineage "\xff" serial 1',
    b'vertex "\\Uffffffff \\ud800 \\x" error: \xff',
)
"""Lines in the form of terraform's own, with contents that it never writes."""
Spoil = Callable[[list[bytes], random.Random], None]
COUNTED = [recording for recording in ALL if count_resources(recording.apply()) is not None]


def cut(lines: list[bytes], dice: random.Random) -> None:
    """Removes a line, its end or its beginning."""
    at = dice.randrange(len(lines))
    size = dice.randrange(len(lines[at]) + 1)
    lines[at] = dice.choice((lines[at][:size] + b"\n", lines[at][size:], b""))


def double(lines: list[bytes], dice: random.Random) -> None:
    """Repeats a line at a later place. Deletions are left out, because an address may have two: of
    its object and of a deposed one."""
    at = dice.randrange(len(lines))
    if not lines[at].endswith(b": applying the planned Delete change\n"):
        lines.insert(dice.randrange(at, len(lines)) + 1, lines[at])


def interleave(lines: list[bytes], dice: random.Random) -> None:
    """Inserts other text before a line or in the middle of one."""
    at = dice.randrange(len(lines))
    size = dice.choice((0, dice.randrange(len(lines[at]) + 1)))
    lines[at] = lines[at][:size] + dice.choice(NOISE) + lines[at][size:]


SPOILS = (cut, double, interleave)


def spoiled(recording: Recording, spoils: tuple[Spoil, ...], dice: random.Random) -> bytes:
    """The recording's log with one to four changes of these kinds."""
    lines = recording.text.splitlines(keepends=True)
    for _ in range(dice.randint(1, 4)):
        dice.choice(spoils)(lines, dice)
    return b"".join(lines)


@pytest.mark.fuzz("core logs", 200)
@pytest.mark.parametrize("spoil", SPOILS)
def test_a_spoiled_log_never_counts_more(spoil: Spoil, examples: Examples) -> None:
    """No count is above that of the whole log, except `unchanged`: an object whose change is
    missing from the log may count as unchanged."""
    told = 0
    for dice in examples:
        recording = dice.choice(COUNTED)
        apply = recording.apply()
        whole = count_resources(apply)
        log = parse_core_log(spoiled(recording, (spoil,), dice))
        found = count_resources(replace(apply, log=log))
        if whole is None or found is None:
            continue
        told += 1
        for name, number in found.as_json().items():
            assert number <= whole.as_json()[name] or name == "unchanged", recording.name
    examples.check_both(told)


@pytest.mark.fuzz("core logs", 200)
def test_a_core_log_is_read_whatever_stands_in_it(examples: Examples) -> None:
    """Whatever bytes a core log contains, it is read without an error."""
    for dice in examples:
        text = spoiled(dice.choice(ALL), SPOILS, dice)
        odd = STAMP + dice.choice(ODD) + b"\n"
        at = dice.randrange(len(text) + 1)
        log = parse_core_log(odd + text[:at] + dice.randbytes(3) + text[at:] + odd)
        assert log.version.isascii()
        assert log.processes >= 0


@pytest.mark.parametrize("odd", ODD)
def test_a_line_of_what_never_was(odd: bytes) -> None:
    """A line with invalid UTF-8, a huge number or an invalid escape raises no error and does not
    change what other lines say."""
    log = parse_core_log(STAMP + b"backend/local: apply calling Apply\n" + STAMP + odd + b"\n")
    assert log.applies == 1
    assert log.version in ("", "1.5")
