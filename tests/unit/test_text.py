"""Foreign texts are cut, cleaned and freed of everything that controls a terminal."""

from __future__ import annotations

import json

import pytest
from support.fuzzing import Examples

from tfevents.context.overrides import parse_overrides
from tfevents.errors import SettingError
from tfevents.events.body import LARGEST_EVENT, build_event
from tfevents.events.model import Activity, EventType
from tfevents.events.schema import load_schema
from tfevents.terminal import printable
from tfevents.text import (
    LONGEST_INPUT_FACTOR,
    MESSAGE_BYTES,
    VALUE_BYTES,
    clean,
    clean_message,
    clean_sha,
)

OPENERS = ["\x1b]", "\x9d", "\x1b[", "\x9b", "\x90", "\x1bP", "\x1b_", "\x1b", "\x9c", "\x07"]
FIELDS = load_schema()["$defs"]["ActivityMetadata"]["properties"]


@pytest.mark.parametrize("opener", OPENERS)
def test_a_message_of_nothing_but_openings_is_cut_first(opener: str) -> None:
    """A text of 60,000 starts of escape sequences is cut before it is cleaned; without that, each
    start looked for its end in all the rest, which took 28 s."""
    assert clean_message(opener * 60_000) is None or opener == "\x1b"
    assert clean(opener * 60_000) is None


def test_what_is_longer_than_the_door_is_no_value() -> None:
    """A value that is too long to be cleaned is None, because a cut one would name something else;
    a message is cut."""
    assert clean("\x07" * LONGEST_INPUT_FACTOR * VALUE_BYTES + "main") is None
    assert clean("x" * VALUE_BYTES) == "x" * VALUE_BYTES
    assert clean_message("x" * 100_000) == "x" * MESSAGE_BYTES


@pytest.mark.fuzz("texts", 2000)
def test_random_texts_are_bounded_and_printable(examples: Examples) -> None:
    """Whatever a text contains, a cleaned value is printable and bounded, and a cleaned message is
    printable."""
    letters = [*OPENERS, *"aé\U0001f680\n\t\u202e\udcff0;m\\"]
    for dice in examples:
        text = "".join(dice.choices(letters, k=dice.randrange(200)))
        value, message = clean(text), clean_message(text)
        assert value is None or (value.isprintable() and len(value.encode()) <= VALUE_BYTES)
        assert message is None or message.replace("\n", "").replace("\t", "").isprintable()


@pytest.mark.parametrize(
    "text",
    [*("HEAD", "v1.0", "0" * 40, "12345", "abc; rm", "g" * 40, "a" * 41, "a" * 65, "", None)],
)
def test_a_sha_that_is_none(text: str | None) -> None:
    """A text that is no commit hash becomes None."""
    assert clean_sha(text) is None


def test_an_event_is_bounded_whatever_it_is_made_of() -> None:
    """An event with more fields than there are, all with texts of the greatest length, stays below
    the size limit and has no escape sequences."""
    metadata: dict[str, object] = {f"field{n}": "é" * 4000 for n in range(55)}
    metadata["trigger"] = dict.fromkeys(("url", "actor", "type"), "\x9d🚀" * 1000)
    data = {f"fact{n}": "x\x1b[31m" * 1000 for n in range(60)}
    event = build_event(Activity(EventType.PLAN, "plan", "success"), metadata, data)
    assert event.size <= LARGEST_EVENT
    assert "\x1b" not in json.dumps(event.body(), ensure_ascii=False)
    assert "\x9d" not in json.dumps(event.body(), ensure_ascii=False)
    assert event.body()["metadata"]["activity_type"] == "plan"


def test_what_stands_deep_in_an_event_is_cleaned_too() -> None:
    """Names and values are cleaned at any depth, also within lists and the trigger; numbers
    stay."""
    trigger = {"actor": "a\x1b[31mb", "url": "x" * (VALUE_BYTES + 1), "more": ["\x07c", 0, True]}
    numbers = {"added": 0, "changed": 1}
    metadata = {"trigger": trigger, "resource_counts": numbers, "git_branch": "a\nb\ud800"}
    event = build_event(Activity(EventType.PLAN), metadata, {"k\x1b[mey": "v\x9d", "\x07": "none"})
    assert event.metadata == {
        "trigger": {"actor": "ab", "more": ["c", 0, True]},
        "resource_counts": numbers,
        "git_branch": "a b",
    }
    assert event.data == {"key": "v"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("GIT_COMMIT_SHA", sha) for sha in ("HEAD", "12345", "g" * 40, "0" * 40)),
        *(("GIT_REPO", url) for url in ("/srv/a.git", "file:///srv/a", "ext::sh -c CANARY")),
        *(("GIT_BRANCH", "x" * (VALUE_BYTES + 1)), ("GIT_COMMIT_MESSAGE", "x" * 5000)),
        ("TRIGGER", '{"url": "/srv/CANARY"}'),
        *(("TRIGGER", f'{{"a": {number}}}') for number in ("1e999", "-1e999", "Infinity")),
    ],
)
def test_a_variable_that_can_t_be_sent_is_told(name: str, value: str) -> None:
    """A TFEVENTS_METADATA_* value that can't be sent is an error of one line that names the
    variable and not its value."""
    with pytest.raises(SettingError) as told:
        parse_overrides({f"TFEVENTS_METADATA_{name}": value}, FIELDS)
    assert str(told.value).startswith(f"TFEVENTS_METADATA_{name}: ")
    assert "CANARY" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("GIT_COMMIT_SHA", " abc1234 ", "abc1234"),
        ("GIT_BRANCH", "a\x1b[31m\nb", "a b"),
        ("GIT_COMMIT_MESSAGE", "a\x1b[31m\nb", "a\nb"),
        ("GIT_REPO", "https://t:CANARY@host.example/a?x=CANARY", "https://host.example/a"),
    ],
)
def test_a_variable_is_cleaned_as_a_vendor_s_fact(name: str, value: str, sent: str) -> None:
    """A TFEVENTS_METADATA_* value is cleaned like a CI vendor's, because it may come from
    elsewhere."""
    assert parse_overrides({f"TFEVENTS_METADATA_{name}": value}, FIELDS) == {name.lower(): sent}


def test_what_is_printed_steers_no_terminal() -> None:
    """Each character that is not printable is replaced when it is printed."""
    assert printable("a\x1b]0;t\x07b\u202e\n") == "a ]0;t b  "
