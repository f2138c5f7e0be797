"""Facts are read from terraform's core log: from recordings of six engines and from misleading
lines."""

from __future__ import annotations

import random
from time import process_time

import pytest
from support.core_logs import ALL, Recording, parse_core_log

from tfevents.readers.core_log import MAX_LINE_BYTES, CoreLogReader
from tfevents.terraform.apply_log import ApplyLog, Failure
from tfevents.terraform.arguments import Mode

STAMP = b"2026-11-27T09:22:01.823Z "
APPLY = STAMP + b"[INFO]  backend/local: apply calling Apply\n"
GRAPH = STAMP + b"[DEBUG] Building and walking apply graph for NormalMode plan\n"


def read(*lines: bytes) -> ApplyLog:
    """The log with these lines, each with a time stamp."""
    return parse_core_log(b"".join(STAMP + line + b"\n" for line in lines))


def facts(log: ApplyLog) -> dict[str, object]:
    """The public attributes of a log."""
    return {name: value for name, value in vars(log).items() if not name.startswith("_")}


@pytest.mark.parametrize("recording", ALL, ids=lambda r: r.name)
def test_bytes_may_come_in_any_pieces(recording: Recording) -> None:
    """A log gives the same facts in whatever pieces it is read: a read during the run may end in
    the middle of a line."""
    whole, pieces = recording.log(), CoreLogReader()
    rng, rest = random.Random(recording.name), recording.text
    while rest:
        size = rng.choice([1, 7, 100, 5000])
        pieces.feed(rest[:size])
        rest = rest[size:]
    assert facts(pieces.log) == facts(whole)


@pytest.mark.parametrize("recording", ALL, ids=lambda r: r.name)
def test_how_far_it_came(recording: Recording) -> None:
    """Each recording's log says whether approval was asked for, whether the input ended, whether
    changes were applied and in which mode, as its scenario expects."""
    log = recording.log()
    asked = recording.scenario in ("declined", "eof", "update_asked", "destroy_asked")
    assert log.asked is asked
    assert log.input_ended is (recording.scenario == "eof")
    unapplied = recording.scenario in ("declined", "eof", "plan_fails")
    assert log.applied is not unapplied
    destroys = recording.scenario.startswith("destroy")
    if log.applied:
        refreshes = recording.scenario == "refresh_only"
        normal = Mode.REFRESH_ONLY if refreshes else Mode.NORMAL
        assert log.mode is (Mode.DESTROY if destroys else normal)


@pytest.mark.parametrize(
    "recording", [r for r in ALL if r.scenario == "nested"], ids=lambda r: r.name
)
def test_a_nested_apply_makes_nothing_sure(recording: Recording) -> None:
    """A log of two applies is recognised as such, because its objects can't be assigned to one of
    them."""
    assert not recording.log().describes_one_apply


@pytest.mark.parametrize(
    "key",
    [
        r"x: applying the planned Create change",
        r"a\"] b: applying the planned Delete change",
        r"x has moved to y",
        r"\u200b\u0007",
        r"$${x}%%{y}",
        r"tab\tnewline\n",
    ],
)
def test_a_key_that_looks_like_a_line(key: str) -> None:
    """An address may contain any text: a line is split at the last separator, and a key never ends
    it."""
    address = f'terraform_data.k["{key}"]'.encode()
    log = read(b"[DEBUG] " + address + b": applying the planned Update change")
    assert [action for _, action in log.begun] == ["Update"]
    ((found, _),) = log.begun
    assert found.startswith('terraform_data.k["') and found.endswith('"]')


def test_a_node_is_named_as_go_quotes_it() -> None:
    """An object's address is the same from a line that names it and from an error that quotes it in
    a node's name."""
    address = rb'terraform_data.k["a\"b\u0007"]'
    quoted = address.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    log = read(
        b"[INFO]  backend/local: apply calling Apply",
        b"[DEBUG] " + address + b": applying the planned Delete change",
        b'[ERROR] vertex "' + quoted + b' (destroy)" error: it is in use',
        b'[ERROR] vertex "' + quoted + b' (destroy deposed 0a1b2c3d)" error: no',
    )
    ((name, _),) = log.begun
    assert name == 'terraform_data.k["a"b\a"]'
    assert log.failures == {
        Failure(name, destroys=True, deposed=None, only_postcondition_failed=False),
        Failure(name, destroys=True, deposed="0a1b2c3d", only_postcondition_failed=False),
    }


def test_what_failed_and_what_only_stopped() -> None:
    """Errors while planning are no failures of an apply, nor is "execution halted", which terraform
    reports for finished nodes when a run is stopped."""
    log = read(
        b'[ERROR] vertex "terraform_data.planned" error: while planning',
        b"[INFO]  backend/local: apply calling Apply",
        b'[ERROR] vertex "terraform_data.a" error: execution halted',
        b'[ERROR] vertex "terraform_data.b" error: Resource postcondition failed',
    )
    assert log.failures == {
        Failure("terraform_data.b", destroys=False, deposed=None, only_postcondition_failed=True)
    }


def test_a_deposed_object_and_a_data_source_in_a_plan() -> None:
    """The planned changes are those of managed objects, deposed ones included, without changes that
    the plan removed again."""
    log = read(
        b"[TRACE] writeChange: recorded Delete change for terraform_data.a deposed object 0a1b2c3d",
        b"[TRACE] writeChange: recorded Read change for data.terraform_remote_state.s",
        b'[TRACE] writeChange: recorded Read change for module.m["a.data.b"].data.x.y',
        b'[TRACE] writeChange: recorded Create change for module.m["data.x"].terraform_data.y[0]',
        b"[TRACE] writeChange: recorded Update change for terraform_data.gone",
        b"[TRACE] writeChange: removing planned change for terraform_data.gone",
    )
    assert log.planned == {
        ("terraform_data.a", "0a1b2c3d"): "Delete",
        ('module.m["data.x"].terraform_data.y[0]', None): "Create",
    }


def test_the_state_is_the_one_that_was_read_first() -> None:
    """The state is the first one that was read: a data source that reads another state while
    planning logs the same line."""
    own = b'[TRACE] statemgr.Filesystem: read snapshot with lineage "own" serial 3'
    other = b'[TRACE] statemgr.Filesystem: read snapshot with lineage "other" serial 9'
    log = read(own, b"[INFO]  backend/local: apply calling Plan", other)
    assert log.snapshot == (3, "own")
    assert read(b"[TRACE] statemgr.Filesystem: read nil snapshot").snapshot == (0, "")
    assert read(b"[INFO]  CLI args: []string{}").snapshot is None


def test_stopped_and_broken() -> None:
    """A stop is unconfirmed until the log says that it is complete; after a second interrupt it
    never does."""
    stops = b"[WARN]  terraform: Stop called, initiating interrupt sequence"
    assert read(stops).stop_unconfirmed
    assert not read(stops, b"[WARN]  terraform: stop complete").stop_unconfirmed
    assert not read(b"[INFO]  CLI args: []string{}").stop_unconfirmed


def test_a_line_without_end_is_not_kept() -> None:
    """A line that is longer than the limit is not kept in memory; the lines behind it are read."""
    reader = CoreLogReader()
    for _ in range(40):
        reader.feed(b"x" * (MAX_LINE_BYTES // 16))
    assert len(reader._rest) <= MAX_LINE_BYTES
    reader.feed(b"tail\n" + APPLY + GRAPH)
    assert reader.log.describes_one_apply


def test_text_that_is_no_line_of_the_log_says_nothing() -> None:
    """Text without a time stamp, such as a provisioner's output, is ignored."""
    log = parse_core_log(
        b"backend/local: apply calling Apply\n  x [INFO]  backend/local: apply calling Apply\n"
    )
    assert not log.applied


def test_a_message_is_on_the_line_of_its_time() -> None:
    """A time stamp without a level, which a value of several lines may have, does not extend to the
    next line."""
    stamp = b"2026-01-01T00\n"
    assert parse_core_log(stamp + b"foo [INFO] CLI args: x\n").processes == 0
    start = process_time()
    parse_core_log(stamp * 60_000 + STAMP + b"[INFO] CLI args: x\n")
    assert process_time() - start < 5
