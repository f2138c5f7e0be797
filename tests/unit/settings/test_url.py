"""A server's URL is parsed as the standard library parses it, or refused."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tfevents.settings.url import parse_url

GOOD = [
    *("https://app.harness.io", "https://app.harness.io/", "HTTPS://App.Harness.IO/gateway/x"),
    *("http://127.0.0.1:8080", "http://localhost:1/a/b", "https://h:443", "http://[::1]:80/x"),
    *("https://[2001:db8::1]", "https://user:password@h/x", "https://h:65535", "https://h:"),
]
BAD = [
    *("", "app.harness.io", "https://", "https:///x", "ftp://h", "https:h", "//h", "https://:80"),
    *(
        "https://h:x",
        "https://h:65536",
        "https://h:-1",
        "https://[::1",
        "https://[::1]x",
        "http://[h]",
    ),
    *("https://h:٣",),
]


@pytest.mark.parametrize("text", GOOD)
def test_as_urllib_does(text: str) -> None:
    """`parse_url` gives the same parts as `urlsplit`, with the scheme's default port, and no user
    in `netloc`."""
    ours, theirs = parse_url(text), urlsplit(text)
    assert (ours.scheme, ours.host, ours.path) == (theirs.scheme, theirs.hostname, theirs.path)
    assert ours.port == (theirs.port or {"https": 443, "http": 80}[theirs.scheme])
    assert ours.user == (theirs.username is not None)
    assert "@" not in ours.netloc


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_address_of_a_server(text: str) -> None:
    with pytest.raises(ValueError):
        parse_url(text)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("[::1]", True)),
        *(("[0:0:0:0:0:0:0:1]", True), ("[::2]", False), ("128.0.0.1", False), ("0.0.0.0", False)),
        *(("localhost.example.com", False), ("127.0.0.1.example.com", False), ("127.1", False)),
        *(("[::ffff:8.8.8.8]", False), ("[fe80::1]", False)),
    ],
)
def test_only_this_machine_is_loopback(host: str, is_here: bool) -> None:
    """Only localhost and loopback addresses are this machine; http to any other host would show the
    API key to the network."""
    assert parse_url(f"http://{host}/").loopback is is_here
