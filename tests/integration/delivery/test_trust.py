"""Whose word is taken for a server's: the system's roots, lying ready by their hash or not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.endpoint import Endpoint

from tfevents.deadline import Deadline
from tfevents.delivery.client import ApiClient
from tfevents.errors import Unreachable
from tfevents.journal.models import Destination
from tfevents.settings.model import Key, Settings


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's directory of roots, with none in it; there is no file of them."""
    directory = tmp_path / "certs"
    directory.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(directory))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    return directory


def index(root: Path, directory: Path) -> None:
    """Lays a root there as c_rehash does; only openssl knows how it hashes names."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH")
    asked = ("openssl", "x509", "-hash", "-noout", "-in", str(root))
    digest = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(root, directory / f"{digest}.0")


def deliver(endpoint: Endpoint) -> None:
    client = ApiClient(Settings("/nowhere", url=endpoint.url, api_key=Key("pat.a.b.c")))
    try:
        client.send_event({"event_type": "plan"}, Destination("a", "o", "p", "w"), Deadline(8.0))
    finally:
        client.close()


def test_a_root_that_lies_ready_is_looked_up(roots: Path) -> None:
    """By OpenSSL itself."""
    with Endpoint(tls="127.0.0.1") as endpoint:
        index(endpoint.ca_bundle, roots)
        deliver(endpoint)
        assert len(endpoint.requests) == 1


def test_a_root_that_only_the_file_has(
    roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies ready may be less than all."""
    with Endpoint(tls="127.0.0.1") as other, Endpoint(tls="127.0.0.1") as endpoint:
        index(other.ca_bundle, roots)
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_bundle))
        deliver(endpoint)
        assert len(endpoint.requests) == 1


def test_a_directory_without_an_index(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Fedora has it: the roots are in one file, all of them are read."""
    with Endpoint(tls="127.0.0.1") as endpoint:
        shutil.copy(endpoint.ca_bundle, roots / "ca-bundle.crt")
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_bundle))
        deliver(endpoint)
        assert len(endpoint.requests) == 1


def test_nobody_vouches_for_it(roots: Path) -> None:
    """Neither what lies ready nor the rest: nothing is sent, and one line says why."""
    with Endpoint(tls="127.0.0.1") as other, Endpoint(tls="127.0.0.1") as endpoint:
        index(other.ca_bundle, roots)
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            deliver(endpoint)
        assert endpoint.requests == []
