"""The server's responses are read correctly, whatever they contain."""

from __future__ import annotations

import json
import random
import re
import time
from email.utils import formatdate
from typing import Any

import pytest
from support.fuzzing import Examples

from tfevents.delivery.responses import (
    ID,
    POLICIES,
    check_response,
    parse_error,
    parse_retry_after,
    parse_stored,
)
from tfevents.errors import DeliveryError, Refused, Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import ApiKey

KEY = ApiKey("pat.acct.token-canary.secret-canary")


@pytest.mark.parametrize(("status", "locked"), [(423, True), (429, False), (503, False)])
def test_a_locked_workspace_is_no_problem_of_the_server(status: int, locked: bool) -> None:
    """Only a 423 is about the workspace alone; other statuses that allow a retry are not."""
    with pytest.raises(Unreachable) as caught:
        check_response(status, {}, b"", Destination("a", "o", "p", "w"))
    assert caught.value.locked is locked


@pytest.mark.parametrize(
    "text", ["x", "1.5", "-5", "٣", "1 second", "Mon, 99 Foo 2026", "", "\x00", "9" * 5000 + "x"]
)
def test_a_retry_after_that_says_nothing_is_as_if_not_there(text: str) -> None:
    """An unusable Retry-After is ignored."""
    assert parse_retry_after({"retry-after": text}) is None


def test_a_retry_after_is_a_number_or_a_date() -> None:
    """Retry-After is a number of seconds or a date; a date in the past means now."""
    assert parse_retry_after({"retry-after": " 7 "}) == 7
    assert parse_retry_after({"retry-after": "9" * 5000}) == 999_999_999
    assert parse_retry_after({"retry-after": formatdate(time.time() - 60)}) == 0
    soon = parse_retry_after({"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert soon is not None
    assert 50 < soon <= 101


def test_a_date_without_a_time_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Retry-After as of C's asctime is in UTC, not in the local time (RFC 9110 §5.6.7)."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        soon = parse_retry_after({"retry-after": time.asctime(time.gmtime(time.time() + 100))})
    time.tzset()
    assert soon is not None
    assert 50 < soon <= 101


def test_an_error_s_words_are_its_name_and_message() -> None:
    """Name and message are read from the service's error body and from the gateway's; the API key
    is replaced by `***`."""
    body = {"name": "locked", "message": f"by {KEY.secret}", "temporary": True}
    found = parse_error(json.dumps(body).encode(), KEY)
    assert (found.words, found.temporary) == (" (locked by ***)", True)
    assert parse_error(b'{"code": "DENIED", "message": "no"}').words == " (DENIED no)"


@pytest.mark.parametrize("text", [b"", b"<html>", b"[1]", b"null", b"\xff", b'{"name": 5}'])
def test_what_is_no_envelope_says_nothing(text: bytes) -> None:
    """A body in any other form than the service's errors gives an empty error."""
    found = parse_error(text)
    assert (found.words, found.temporary) == ("", False)


def test_an_artifact_s_id_is_an_id() -> None:
    """An artifact's id is sent in events, so a text that is no id, or that repeats a part of the
    API key, is refused."""
    stored = parse_stored(b'{"id": "a-1", "policy_evaluation_status": "pass"}', KEY)
    assert (stored.id, stored.policy) == ("a-1", "pass")
    for text in ("", "two words", "x" * 200, "token-canary"):
        with pytest.raises(Refused):
            parse_stored(json.dumps({"id": text}).encode(), KEY)


SAID_BACK = [
    KEY.secret,
    KEY.secret.upper(),
    "token-canary",
    "x secret-canary x",
    "pat.acct.token-canary.sec\nret-can\x00ary",
    "." * 195 + "token-canary",
]


@pytest.mark.parametrize("text", SAID_BACK)
def test_no_field_says_the_key_back(text: str) -> None:
    """Error name and message, policy status and message, and a redirect's host are stored and
    shown, so the API key is removed from each of them."""
    error = json.dumps({"name": text, "message": text}).encode()
    stored = parse_stored(
        json.dumps(
            {"id": "a-1", "policy_evaluation_message": text, "policy_evaluation_status": text}
        ).encode(),
        KEY,
    )
    host = "".join(c for c in text if c.isprintable() and c != " ")
    with pytest.raises(DeliveryError) as told:
        check_response(302, {"location": f"https://{host}/"}, b"", Destination(), KEY)
    shown = f"{parse_error(error, KEY).words} {stored} {told.value}".lower()
    assert "canary" not in shown
    assert "token" not in shown
    assert stored.policy is None


NAMES = (
    *("name", "code", "message", "id", "temporary", "timeout"),
    *("policy_evaluation_status", "policy_evaluation_message"),
)
WORDS = (*SAID_BACK, *POLICIES, "a-1", "x", "\ud800", "\u202e", "\x1b[31m", "\n", "é" * 300)
NOISE = (b"\xff", b"\x00", b'"', b"{", b"[", b"1e999", b"\\ud800", b"NaN")
HEADERS = (
    *("7", "Wed, 21 Oct 2099 07:28:00 GMT", "Mon, 01 Jan 0001 00:00:00 -2359"),
    *("https://u:p@h.example:80/x?y#z", "//[::1]/", "/login"),
)


def some_value(dice: random.Random, depth: int = 0) -> Any:
    """A random JSON value with the names that the contract's responses use."""
    if depth < 3 and dice.random() < 0.4:
        names = dice.sample(NAMES, 4)
        return {name: some_value(dice, depth + 1) for name in names}
    if depth and dice.random() < 0.2:
        return dice.choice([None, True, 1, -1.5, 10**400, [], ["x"], {}])
    return " ".join(dice.choices(WORDS, k=dice.randrange(1, 3)))


def some_answer(dice: random.Random) -> bytes:
    """A random response body of JSON, broken in three of ten cases."""
    answer = json.dumps(some_value(dice)).encode()
    if dice.random() < 0.3:
        at = dice.randrange(len(answer) + 1)
        answer = answer[:at] + dice.choice(NOISE) + answer[at + dice.choice((0, 1, 30)) :]
    return answer


def some_header(dice: random.Random) -> str:
    """A header's value with a random change."""
    text = dice.choice(HEADERS)
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(("", *WORDS, "9" * 20, "[")) + text[at + dice.randrange(3) :]


def says_the_key(text: str) -> bool:
    """Whether the text contains a secret part of the API key."""
    return any(part in text.lower() for part in KEY.secret.split(".")[2:])


@pytest.mark.fuzz("server replies", 2000)
def test_any_answer_is_taken_or_told(examples: Examples) -> None:
    """Whatever the server answers, no other error than DeliveryError is raised; its message is one
    bounded line without the API key."""
    taken = 0
    for dice in examples:
        answer = some_answer(dice)
        headers = {"retry-after": some_header(dice), "location": some_header(dice)}
        try:
            check_response(dice.randrange(100, 600), headers, answer, Destination(), KEY)
        except DeliveryError as error:
            assert str(error).isprintable()
            assert len(str(error)) < 400
            assert not says_the_key(str(error))
            assert not isinstance(error, Unreachable) or (error.retry_after or 0) >= 0
        try:
            stored = parse_stored(answer, KEY)
        except Refused:
            continue
        taken += 1
        assert re.fullmatch(ID, stored.id)
        assert stored.policy in (None, *POLICIES)
        assert not says_the_key(f"{stored}")
    examples.check_both(taken)


@pytest.mark.parametrize("word", [None, 1, [], ["pass"], {}, {"pass": 1}, "passed"])
def test_a_policy_s_word_that_is_none_is_left_out(word: object) -> None:
    """An unknown policy status is left out: the artifact was stored nevertheless."""
    answer = json.dumps({"id": "a-1", "policy_evaluation_status": word}).encode()
    stored = parse_stored(answer, KEY)
    assert (stored.id, stored.policy) == ("a-1", None)
