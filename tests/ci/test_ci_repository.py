"""A repository's address never carries a secret, however it was written."""

from __future__ import annotations

import pytest

from tfevents.ci import without_credentials


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://github.com/acme/infra.git",
        "http://bitbucket.org/acme/infra",
        "HTTPS://GitHub.com/acme/infra",
        "https://host.example:8443/a/b.git",
        "https://[::1]:8443/a/b.git",
        "https://host.example/a@b/c.git",
        "https://dev.azure.com/org/my%20project/_git/repo?version=GBmain#L1",
        "git@github.com:acme/infra.git",
        "git@host.example:/abs/path.git",
        "ssh://git@git.example.com:7999/acme/infra.git",
        "git+ssh://git@host.example/a.git",
        "ssh://git@[::1]:22/a.git",
        "git://host.example/a.git",
        "file:///srv/git/a.git",
        "/srv/git/a.git",
        "../a.git",
        "acme/infra",
        "s3://bucket/key",
        "codecommit::us-east-1://repo",
        "not a url at all",
    ],
)
def test_an_address_without_a_secret_stays_as_it_is(url: str) -> None:
    """scp forms, `git@`, ports, IPv6, queries and paths are part of the address."""
    assert without_credentials(url) == url


@pytest.mark.parametrize(
    ("url", "scrubbed"),
    [
        ("https://user:SECRET@host/x", "https://host/x"),
        ("https://SECRET@host/x", "https://host/x"),
        ("https://user:SEC@RET@host/x", "https://host/x"),
        ("https://user@corp.example:SECRET@host/x", "https://host/x"),
        ("HTTPS://User:SECRET@Host/X.git", "HTTPS://Host/X.git"),
        ("hTTp://x:SECRET@host:8080/x", "http://host:8080/x"),
        ("https://u:SECRET@[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://u:SEC%40RET@host/x", "https://host/x"),
        ("https://u%3ASECRET@host/x", "https://host/x"),
        ("https://u:SEC%2FRET@host/x", "https://host/x"),
        ("https://u:SEC/RET@host/x", "https://host/x"),
        ("https://u:SEC?RET@host/x", "https://host/x"),
        ("https://u:SEC#RET@host/x", "https://host/x"),
        ("https://u:SEC RET@host/x", "https://host/x"),
        ("https://u:SEC\\RET@host/x", "https://host/x"),
        ("https://:SECRET@host/x", "https://host/x"),
        ("https://u:SECRET@host", "https://host"),
        ("https://@host/x", "https://host/x"),
        ("https:/u:SECRET@host/x", "https:/host/x"),
        ("https:u:SECRET@host/x", "https:host/x"),
        ("https:\\\\u:SECRET@host\\x", "https:\\\\host\\x"),
        ("//u:SECRET@host/x", "//host/x"),
        ("git+https://u:SECRET@host/x", "git+https://host/x"),
        ("ftp://u:SECRET@host/x", "ftp://host/x"),
        ("ssh://git:SECRET@host:22/x", "ssh://git@host:22/x"),
        ("SSH://git:SEC@RET@host/x", "SSH://git@host/x"),
        ("ssh://git%3aSECRET@host/x", "ssh://git@host/x"),
        ("user:SECRET@host/x", "user@host/x"),
        ("https://host/x?u=http://x:SECRET@other/y", "https://host/x?u=http://other/y"),
        ("https://host/x#http://x:SECRET@other", "https://host/x#http://other"),
        ("https://a:SECRET@host/x?u=http://x:SECRET@o/y", "https://host/x?u=http://o/y"),
        ("https://host/x?u=http%3A%2F%2Fx%3ASECRET%40o%2Fy", "https://host/x?u=http%3A%2F%2Fo%2Fy"),
        ("https://host/?u=https%3a%2f%2fSECRET@o&a=b@c", "https://host/?u=https%3a%2f%2fo&a=b@c"),
        ("https://host/x?u=ssh://git:SECRET@o/y", "https://host/x?u=ssh://git@o/y"),
        ("https://github.com/http://u:SECRET@host/x", "https://github.com/http://host/x"),
        ("  https://u:SECRET@host/x", "  https://host/x"),
    ],
)
def test_no_user_and_password_survive(url: str, scrubbed: str) -> None:
    """http(s) loses the user part whole, ssh its password only, in nested addresses too."""
    found = without_credentials(url)
    assert found.lower() == scrubbed.lower()
    assert "secret" not in found.lower()
    assert without_credentials(found) == found


@pytest.mark.parametrize(
    "url",
    [
        "@",
        ":",
        "://",
        "https://",
        "https://@",
        "https://:@",
        "%",
        "http%3A",
        "\udcff@",
        "\x00",
        "[::",
    ],
)
def test_nonsense_never_raises(url: str) -> None:
    """Whatever the text, there is an answer."""
    assert isinstance(without_credentials(url), str)


@pytest.mark.parametrize(
    "piece", ["a", "http", "https://", "a:b@", "@", "%3a", "http%3a%2f%2f", "//"]
)
def test_a_long_text_costs_linear_time(piece: str) -> None:
    """120 KB of anything is done at once: a quadratic search would take minutes."""
    assert isinstance(without_credentials(piece * (120_000 // len(piece))), str)
