"""What a response says, whatever else may be in it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate

import pytest

from tfevents.delivery.responses import (
    check_response,
    parse_error,
    parse_retry_after,
    parse_stored,
)
from tfevents.errors import DeliveryError, Refused
from tfevents.journal.models import Destination
from tfevents.settings.model import Key

KEY = Key("pat.acct.token-canary.secret-canary")


@pytest.mark.parametrize(
    "text", ["x", "1.5", "-5", "٣", "1 second", "Mon, 99 Foo 2026", "", "\x00", "9" * 5000 + "x"]
)
def test_a_retry_after_that_says_nothing_is_as_if_not_there(text: str) -> None:
    """Then it is ours to choose the pause."""
    assert parse_retry_after({"retry-after": text}) is None


def test_a_retry_after_is_a_number_or_a_date() -> None:
    """Seconds, or the time to come back; what is past means now."""
    assert parse_retry_after({"retry-after": " 7 "}) == 7
    assert parse_retry_after({"retry-after": "9" * 5000}) == 999_999_999
    assert parse_retry_after({"retry-after": formatdate(time.time() - 60)}) == 0
    soon = parse_retry_after({"retry-after": formatdate(time.time() + 100, usegmt=True)})
    assert soon is not None
    assert 50 < soon <= 101


def test_an_error_s_words_are_its_name_and_message() -> None:
    """The service's envelope and the gateway's; the key is taken out of both."""
    body = {"name": "locked", "message": f"by {KEY.secret}", "temporary": True}
    found = parse_error(json.dumps(body).encode(), KEY)
    assert (found.words, found.temporary) == (" (locked by ***)", True)
    assert parse_error(b'{"code": "DENIED", "message": "no"}').words == " (DENIED no)"


@pytest.mark.parametrize("text", [b"", b"<html>", b"[1]", b"null", b"\xff", b'{"name": 5}'])
def test_what_is_no_envelope_says_nothing(text: bytes) -> None:
    found = parse_error(text)
    assert (found.words, found.temporary) == ("", False)


def test_an_artefact_s_id_is_an_id() -> None:
    """It goes into events: nothing that a text, or a key said back, could hide in."""
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
    """Name, message, a policy's word, where a redirect leads: each is kept and shown."""
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
