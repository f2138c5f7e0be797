"""CI event files, and documents in variables, that are missing, broken or far too large."""

from __future__ import annotations

import json

import pytest
from support.ci_samples import github

from tfevents.context import ci
from tfevents.context.ci._event_file import LIMIT, find_text, parse_event
from tfevents.context.ci._properties import parse_properties

_SHA = "ffac537e6cbbf934b08745a378932722df287a53"
_PULL_REQUEST = {
    **github.JOB,
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_REF": "refs/pull/2/merge",
    "GITHUB_HEAD_REF": "changes",
}


@pytest.mark.parametrize(
    "document",
    [
        None,
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'"pull_request"',
        b"\xff\xfe\x00",
        b"\x80" * 100,
        b'{"pull_request": null}',
        b'{"pull_request": []}',
        b'{"pull_request": {"number": null, "head": null}}',
        b'{"pull_request": {"number": true, "head": {"sha": {}, "ref": []}}}',
        b'{"pull_request": {"number": 1.5, "head": {"sha": 3.5}}}',
        b'{"pull_request": {"number": ' + b"9" * 5000 + b"}}",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b" " * (LIMIT + 1),
        b'{"pull_request": {"number": 9}, "pad": "' + b"x" * LIMIT + b'"}',
    ],
    ids=lambda document: repr(document)[:40],
)
def test_a_broken_event_file_costs_only_its_facts(document: bytes | None) -> None:
    """With a broken event file, the build still has what the variables say, and the checked-out
    commit is reported as the merge commit that it is."""
    build = ci.find_build(_PULL_REQUEST, lambda path: document)
    assert build is not None
    assert (build.pull_request, build.branch) == ("2", "changes")
    assert (build.sha, build.merge_commit) == (None, _SHA)


def test_the_file_that_the_vendor_names_is_read_and_no_other() -> None:
    """Only the file in GITHUB_EVENT_PATH is read; if the variable is empty, no file is."""
    asked: list[str] = []
    ci.find_build(_PULL_REQUEST, asked.append)
    assert asked == [github.JOB["GITHUB_EVENT_PATH"]]
    ci.find_build({**_PULL_REQUEST, "GITHUB_EVENT_PATH": ""}, asked.append)
    assert len(asked) == 1


def test_an_event_that_is_not_utf_8_keeps_what_can_be_kept() -> None:
    """A byte of another encoding is dropped from the commit message; the rest of the message and of
    the event stays."""
    event = (
        b'\xef\xbb\xbf{"head_commit": {"id": "' + _SHA.encode() + b'", "message": "caf\xe9 ok"}}'
    )
    env = {**github.JOB, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    build = ci.find_build(env, lambda path: event)
    assert build is not None
    assert build.message == "caf ok"


def test_an_event_of_another_commit_has_no_message_for_this_one() -> None:
    """The message of the event's head commit is only used if that commit is the build's `sha`."""
    event = b'{"head_commit": {"id": "0123456789abcdef0123456789abcdef01234567", "message": "no"}}'
    env = {**github.JOB, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    build = ci.find_build(env, lambda path: event)
    assert build is not None
    assert build.message is None


def test_half_a_surrogate_in_an_event_is_dropped() -> None:
    """An escaped surrogate pair in JSON is one character; a surrogate alone is dropped, because no
    valid text can hold one."""
    event = parse_event(b'{"a": "\\ud83d\\ude80", "b": "x\\ud83d"}')
    assert find_text(event, "a") == "\U0001f680"
    env = {**github.JOB, "GITHUB_ACTOR": find_text(event, "b") or ""}
    build = ci.find_build(env, lambda path: None)
    assert build is not None
    assert build.actor == "x"


@pytest.mark.parametrize(
    ("document", "read"),
    [
        (None, {}),
        (b"", {}),
        (b"# a\n! b\n\na=b\n", {"a": "b"}),
        (b"a = b = c\nd: e\nf\n", {"a": "b = c", "d": "e", "f": ""}),
        (rb"C\:\\x=C\:\\y", {"C:\\x": "C:\\y"}),
        (b"a=\\u00e9\\n\\q\\u12\n", {"a": "\u00e9\nqu12"}),
        (b"a=\\ud800\n", {"a": "\ud800"}),
        (b"a=\xe9", {"a": "\u00e9"}),
        (b"a=b" + b" " * (5 * 1024 * 1024), {}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_properties_file_is_read_as_java_writes_it(
    document: bytes | None, read: dict[str, str]
) -> None:
    """Comments, separators and escapes of a Java properties file are understood; a malformed one
    raises no error, and a huge one is ignored."""
    assert parse_properties(document) == read


def test_a_huge_message_ends_at_4_kib() -> None:
    """A commit message of 1 MiB in a push event is cut to 4 KiB; the event is still read."""
    text = '"\\u00e9 quoted\\n' + "x" * (1 << 20)
    event = json.dumps({"head_commit": {"id": _SHA, "message": text}}).encode()
    env = {**github.JOB, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}
    build = ci.find_build(env, lambda path: event)
    assert build is not None
    assert build.message == text.encode()[:4096].decode()
