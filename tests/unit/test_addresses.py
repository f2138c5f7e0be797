"""Of an address, only scheme, host, port and path are sent, however it is written."""

from __future__ import annotations

import pytest
from support.fuzzing import Examples

from tfevents.addresses import redact_address, redact_source


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/infra.git",
        "http://bitbucket.org/acme/infra",
        "HTTPS://GitHub.com/acme/infra",
        "https://host.example:8443/a/b.git",
        "https://[::1]:8443/a/b.git",
        "https://dev.azure.com/org/my%20project/_git/repo",
        "https://dev.azure.com/org/p/_build/results?buildId=1430",
        "https://host.example",
        "git@github.com:acme/infra.git",
        "git@host.example:/abs/path.git",
        "github.com:acme/infra.git",
        "ssh://git@git.example.com:7999/acme/infra.git",
        "git+ssh://git@host.example/a.git",
        "ssh://git@[::1]:22/a.git",
        "git://host.example/a.git",
    ],
)
def test_what_names_a_host_and_no_secret_stays(address: str) -> None:
    """An address with a host and no secret is unchanged: scp forms, `git@`, ports, IPv6 and paths
    are part of it."""
    assert redact_address(address) == address


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("https://user:SECRET@host/x", "https://host/x"),
        ("https://SECRET@host/x", "https://host/x"),
        ("https://user:SEC@RET@host/x", "https://host/x"),
        ("hTTp://x:SECRET@host:8080/x", "hTTp://host:8080/x"),
        ("https://u:SECRET@[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://u%3ASECRET@host/x", "https://host/x"),
        ("https://:SECRET@host/x", "https://host/x"),
        ("https://u:SECRET@host", "https://host"),
        ("https://@host/x", "https://host/x"),
        ("http://git@github.com:443/o/r.git", "http://github.com:443/o/r.git"),
        ("git+https://u:SECRET@host/x", "git+https://host/x"),
        ("ssh://git:SECRET@host:22/x", "ssh://git@host:22/x"),
        ("ssh://SECRET@host/x", "ssh://host/x"),
        ("SECRET@host.example:x/y", "host.example:x/y"),
        ("u:SECRET@host.example:x/y", "host.example:x/y"),
        ("https://host/x?private_token=SECRET", "https://host/x"),
        ("https://host/x?buildId=7&access_token=SECRET", "https://host/x?buildId=7"),
        ("https://host/x?buildId=SECRET", "https://host/x"),
        ("https://host/x?u=http://x:SECRET@other/y", "https://host/x"),
        ("https://host/x#access_token=SECRET", "https://host/x"),
        ("https://host/x?a=b#SECRET", "https://host/x"),
        ("https://host#SECRET", "https://host"),
    ],
)
def test_who_signs_in_the_query_and_the_fragment_go(address: str, sent: str) -> None:
    """User and password, the fragment, and all of the query that is not known to be harmless are
    removed."""
    assert redact_address(address) == sent
    assert redact_address(sent) == sent


@pytest.mark.parametrize(
    "address",
    [
        *("", "@", ":", "://", "https://", "https://@", "%", "[::", "not an address", "acme/infra"),
        *("file:///srv/git/a.git", "/srv/git/a.git", "../a.git", "C:/git/a", "C:\\git\\a"),
        *("ext::sh -c 'cat SECRET'", "codecommit::us-east-1://repo", "https:///x", "javascript:x"),
        *("https://u:SEC/RET@host/x", "https://u:1/SECRET@host/x"),
        *("https://host/a@b", "https:/u:SECRET@host/x", "//u:SECRET@host/x", "u:SECRET@host/x"),
        *("http://u:SEC?RET@host/x", "https://host:99999999/x", "https://ho st/x", "x://host/y"),
    ],
)
def test_what_names_no_host_or_may_hide_a_secret_is_left_out(address: str) -> None:
    """An address without a host is not sent, because a path is local; nor is an ambiguous one,
    which may contain a part of a password."""
    found = redact_address(address)
    assert found is None or "SEC" not in found
    assert found is None or address.startswith("http://u:SEC?")


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("./modules/a", "./modules/a"),
        ("../shared", "../shared"),
        ("hashicorp/consul/aws", "hashicorp/consul/aws"),
        ("hashicorp/consul/aws//modules/x", "hashicorp/consul/aws//modules/x"),
        ("app.terraform.io/acme/vpc/aws", "app.terraform.io/acme/vpc/aws"),
        ("github.com/acme/vpc", "github.com/acme/vpc"),
        ("github.com/acme/vpc//sub?ref=v1.2.0", "github.com/acme/vpc//sub?ref=v1.2.0"),
        ("git@github.com:acme/vpc.git?ref=main", "git@github.com:acme/vpc.git?ref=main"),
        ("git::https://oauth2:SECRET@host/a.git?ref=v1", "git::https://host/a.git?ref=v1"),
        ("git::ssh://git@host/a.git", "git::ssh://git@host/a.git"),
        (
            "s3::https://s3.amazonaws.com/b/m.zip?aws_access_key_secret=SECRET",
            "s3::https://s3.amazonaws.com/b/m.zip",
        ),
        ("https://host/m.zip?archive=zip&token=SECRET", "https://host/m.zip"),
        ("u:SECRET@host.example/acme/vpc", "host.example/acme/vpc"),
        ("git::/srv/SECRET", None),
        ("ext::sh -c SECRET", None),
        ("/srv/SECRET", None),
        ("file:///srv/SECRET", None),
        ("", None),
    ],
)
def test_a_module_s_source(source: str, sent: str | None) -> None:
    """A module's source is redacted also in the forms that only terraform knows."""
    assert redact_source(source) == sent


@pytest.mark.fuzz("addresses", 2000)
def test_no_text_raises_or_lets_a_canary_through(examples: Examples) -> None:
    """A canary as user, query or fragment of a random address is removed, and no text raises an
    error."""
    pieces = ["https://", "git::", "host.example", "git@", ":443", "/a/b", "//", "x", "%40"]
    for dice in examples:
        before = "".join(dice.choices(pieces, k=dice.randrange(4)))
        after = "".join(dice.choices(pieces, k=dice.randrange(4)))
        hidden = dice.choice(["u:CANARY@", "CANARY@", "?token=CANARY", "#CANARY", "?ref=&x=CANARY"])
        for find in (redact_address, redact_source):
            assert "CANARY" not in (find(f"https://{hidden}host/{after}") or "")
            if hidden[0] in "?#":
                assert "CANARY" not in (find(f"https://host.example/{before}{hidden}") or "")
            find(before + hidden + after)


@pytest.mark.parametrize("piece", ["a", "https://", "a:b@", "@", "%3a", "//", "::", "?", "[:"])
def test_any_text_costs_little(piece: str) -> None:
    """2 KiB of any repeated text raise no error."""
    text = piece * (2048 // len(piece))
    for find in (redact_address, redact_source):
        find(text)


def test_semaphore_s_own_form() -> None:
    """The user is removed from SEMAPHORE_GIT_URL, which is neither a URL nor an scp form."""
    found = redact_address("http://git@github.com:semaphoreci/toolbox.git")
    assert found == "http://github.com:semaphoreci/toolbox.git"
