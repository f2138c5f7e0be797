"""Hostile and broken values from CI vendors are cleaned before they are sent."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import asdict

from tfevents.context.ci import Build, sanitize_branch, sanitize_build
from tfevents.text import VALUE_BYTES
from tfevents.text import clean as text
from tfevents.text import clean_message as message

_TEXTS = [name for name, value in asdict(Build()).items() if value is None]
_BROKEN = os.fsdecode(b"caf\xe9 \xc3\xa9t\xc3\xa9")


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (None, None),
        ("", None),
        (" \t\r\n ", None),
        ("\x00\x07\x1b", None),
        (" main ", "main"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;196;1mred\x1b[m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ends", "0;never ends"),
        ("\x1bPq#0\x1b\\sixel", "sixel"),
        ("\x1b(Bplain\x1b7", "plain"),
        ("a\x1b", "a"),
        ("a\rb\x7f\x85\u2028c", "abc"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("abc\u202etxt.exe\u2066", "abctxt.exe"),
        (
            "\u05d0\u200f zwj \U0001f469\u200d\U0001f680",
            "\u05d0\u200f zwj \U0001f469\u200d\U0001f680",
        ),
        (_BROKEN, "caf \u00e9t\u00e9"),
        ("\ud800a\udfffb", "ab"),
        (os.fsdecode("\u65e5\u672c".encode()[:-1]), "\u65e5"),
        ("x" * VALUE_BYTES, "x" * VALUE_BYTES),
        ("x" * (VALUE_BYTES + 1), None),
        ("\u00e9" * VALUE_BYTES, None),
    ],
)
def test_a_value_is_one_printable_line(value: str | None, cleaned: str | None) -> None:
    """A cleaned value is one line without escape sequences, control characters and broken
    characters; a value that is too long becomes None."""
    assert text(value) == cleaned


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("Subject\r\n\r\nBody\n\twith a tab\n", "Subject\n\nBody\n\twith a tab"),
        ("\x1b[1mSubject\x1b[0m\n\x00", "Subject"),
        (_BROKEN + "\n", "caf \u00e9t\u00e9"),
        ("\n\n", None),
        ("x" * 5000, "x" * 4096),
        ("x" * 4095 + "\u00e9", "x" * 4095),
        ("x" * 4094 + "\U0001f680", "x" * 4094),
        ("\u00e9" * 2048, "\u00e9" * 2048),
    ],
)
def test_a_message_keeps_its_lines_and_ends_at_4_kib(value: str, cleaned: str | None) -> None:
    """A commit message is cut to 4 KiB between two characters, never inside one."""
    assert message(value) == cleaned


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("main", "main"),
        ("refs/heads/main", "main"),
        ("refs/heads/feature/a", "feature/a"),
        ("origin/main", "origin/main"),
        ("refs/heads/refs/x", None),
        ("HEAD", None),
        ("HEADS", "HEADS"),
        ("refs/tags/v1", None),
        ("refs/pull/17/merge", None),
        ("refs/merge-requests/3/head", None),
        ("refs/changes/34/1234/1", None),
        ("pull/17", None),
        ("pull/17/merge", None),
        ("pull/17/fix", "pull/17/fix"),
        ("pull/request", "pull/request"),
        ("merge-requests/3/train", None),
        ("pull-requests/3/from", None),
        ("pr/3/merge", None),
        ("pr/3", "pr/3"),
        ("mergify/merge-queue/2f3a", None),
        ("mergify/configuration", "mergify/configuration"),
        ("trunk-merge/pr-3/2f3a", None),
        ("refs/heads/gh-readonly-queue/main/pr-2-ffac537e6cbb", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_branch_is_a_branch(ref: str | None, branch: str | None) -> None:
    """`HEAD`, tags, merge refs and refs of merge queues are no branches; a slash in a branch's name
    does not make its first part a prefix."""
    assert sanitize_branch(ref) == branch


@pytest.mark.parametrize(
    ("sha", "kept"),
    [
        ("ce9a3c1404e8c91be604088670e93434c4253f03", True),
        ("CE9A3C1", True),
        ("a" * 64, True),
        ("HEAD", False),
        ("4711", False),
        ("0" * 40, False),
        ("a" * 65, False),
        ("arn:aws:s3:::bucket/key", False),
        ("$(Build.SourceVersion)", False),
    ],
)
def test_only_a_hash_is_a_commit(sha: str, kept: bool) -> None:
    """Names, numbers of changesets, zeros and unfilled templates are no commit hashes."""
    assert (sanitize_build(Build(sha=sha)).sha is not None) is kept
    assert (sanitize_build(Build(merge_commit=sha)).merge_commit is not None) is kept


@pytest.mark.parametrize("number", ["false", "0", "", " "])
def test_no_pull_request_is_none(number: str) -> None:
    """`false`, `0` and an empty text, by which vendors mean that there is no pull request, become
    None."""
    assert sanitize_build(Build(pull_request=number)).pull_request is None


def test_a_tag_has_no_branch() -> None:
    """A branch with the same name as the tag is removed: vendors repeat the tag's name there."""
    assert sanitize_build(Build(branch="v1", tag="v1")) == Build(tag="v1")


def test_every_text_of_every_answer_is_cleaned() -> None:
    """`sanitize_build` cleans every text field of a build, so that no vendor's module has to."""
    dirty = "\x1b[31mx\x1b[0m\x00"
    build = sanitize_build(Build(**dict.fromkeys(_TEXTS, dirty)))
    shown = {name: value for name, value in asdict(build).items() if value and name != "vendor"}
    assert set(shown.values()) == {"x"}
    assert set(_TEXTS) - set(shown) == {
        *("vendor", "branch", "sha", "merge_commit", "repository", "url")
    }


def test_addresses_lose_their_credentials() -> None:
    """User and password are removed from the repository's URL and from the build's, which some
    servers are configured to write with a password."""
    build = sanitize_build(
        Build(repository="https://u:p@h.example/a.git", url="http://u:p@h.example/1?a=b")
    )
    assert build.repository == "https://h.example/a.git"
    assert build.url == "http://h.example/1"


def test_a_control_character_hides_no_credentials() -> None:
    """Control characters are removed before credentials are looked for, so that they can't hide
    any."""
    build = sanitize_build(Build(repository="ht\x00tps:/\x1b[0m/u:p@h.example/a.git"))
    assert build.repository == "https://h.example/a.git"


@pytest.mark.parametrize(
    "value", ["\x1b]" * 50_000, "a" * 120_000, "\x1b[" + "1;" * 60_000, "@" * 120_000]
)
def test_a_huge_value_costs_no_time(value: str) -> None:
    """Values as long as the longest variable that Linux allows are cleaned quickly in every
    field."""
    build = sanitize_build(Build(**dict.fromkeys(_TEXTS, value)))
    assert build.branch is None
    assert len((build.message or "").encode()) <= 4096
