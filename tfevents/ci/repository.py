"""How a secret can sit in a repository's address, and the address without it."""

from __future__ import annotations

import re

# Where a host (with or without a user before it) starts; also percent-encoded inside a query.
# The scheme's length is bounded so that a long text costs linear time.
_START = (
    r"(?i)((?:https?(?::|%3a)(?:[/\\]|%2f)*|[a-z][a-z0-9+.-]{0,20}(?::|%3a)(?:[/\\]|%2f){2}|^//))"
)
_END = r"[/?#\\]"
_END_ENCODED = r"(?i)[/?#\\&]|%2f|%3f|%23|%5c|%26"
_AT = "@"
_AT_ENCODED = "(?i)@|%40"
_COLON = "(?i):|%3a"


def without_credentials(url: str) -> str:
    """`url` as it was written, but for who signs in: never raises, whatever the text.

    http(s) and anything else loses the whole user part, here and in any address inside its query;
    ssh keeps the user (`git@` is part of the address) and loses a password. scp forms
    (`git@host:path`) stay as they are.
    """
    before, *pieces = re.split(_START, url)
    if not pieces:
        return _without_password(url)
    starts, rests = pieces[::2], pieces[1::2]
    scrubbed = (start + _scrub(start, rest) for start, rest in zip(starts, rests, strict=True))
    return before + "".join(scrubbed)


def _scrub(start: str, rest: str) -> str:
    """What follows `start`, without the user part of its host."""
    encoded = "%" in start
    end = re.search(_END_ENCODED if encoded else _END, rest)
    authority = rest[: end.start()] if end else rest
    at = _AT_ENCODED if encoded else _AT
    if not re.search(at, authority) and _holds_raw_password(authority, end.group() if end else ""):
        authority = rest  # the password has a / or ? in it, so its @ comes later
    user, host = _split_last(at, authority)
    if user is None:
        return rest
    kept = rest[len(authority) :] if authority is not rest else ""
    name = re.split(_COLON, user, maxsplit=1)[0] + "@" if "ssh" in start.lower() else ""
    return name + host + kept


def _holds_raw_password(authority: str, end: str) -> bool:
    """Is this the first half of a user part, rather than a host with a port?"""
    if authority.startswith("["):
        return False
    _, colon, port = authority.rpartition(":")
    return end in {"?", "#"} or bool(colon and port and not port.isdigit())


def _split_last(at: str, text: str) -> tuple[str | None, str]:
    *_, last = (None, *re.finditer(at, text))
    return (text[: last.start()], text[last.end() :]) if last else (None, text)


def _without_password(address: str) -> str:
    """An address without a scheme: `git@host:path` stays, `user:password@host/path` does not."""
    place, slash, path = address.partition("/")
    user, at, host = place.rpartition("@")
    name, colon, _ = user.partition(":")
    return name + at + host + slash + path if colon else address
