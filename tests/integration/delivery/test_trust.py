"""Which root certificates are trusted: those in the system's directory (SSL_CERT_DIR), with or
without an index, and in its file (SSL_CERT_FILE)."""

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
from tfevents.settings.model import ApiKey, Settings


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, set as SSL_CERT_DIR; the file that SSL_CERT_FILE names does not exist."""
    directory = tmp_path / "certs"
    directory.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(directory))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    return directory


def index(root: Path, directory: Path) -> None:
    """Copies a root certificate into `directory` under its hash, as c_rehash does. Skips the test
    if there is no openssl, which alone knows how to hash the name."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on PATH")
    asked = ("openssl", "x509", "-hash", "-noout", "-in", str(root))
    digest = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    shutil.copy(root, directory / f"{digest}.0")


def deliver(endpoint: Endpoint) -> None:
    """Sends one event to the endpoint."""
    client = ApiClient(Settings("/nowhere", url=endpoint.url, api_key=ApiKey("pat.a.b.c")))
    try:
        client.send_event({"event_type": "plan"}, Destination("a", "o", "p", "w"), Deadline(8.0))
    finally:
        client.close()


def test_a_root_that_lies_ready_is_looked_up(roots: Path) -> None:
    """A root certificate in an indexed directory is trusted: OpenSSL looks it up by its hash."""
    with Endpoint(tls="127.0.0.1") as endpoint:
        index(endpoint.ca_bundle, roots)
        deliver(endpoint)
        assert len(endpoint.requests) == 1


def test_a_root_that_only_the_file_has(
    roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root certificate that only SSL_CERT_FILE contains is trusted too if the directory has an
    index."""
    with Endpoint(tls="127.0.0.1") as other, Endpoint(tls="127.0.0.1") as endpoint:
        index(other.ca_bundle, roots)
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_bundle))
        deliver(endpoint)
        assert len(endpoint.requests) == 1


def test_a_directory_without_an_index(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the directory has no index, as on Fedora, all root certificates of SSL_CERT_FILE are
    read."""
    with Endpoint(tls="127.0.0.1") as endpoint:
        shutil.copy(endpoint.ca_bundle, roots / "ca-bundle.crt")
        monkeypatch.setenv("SSL_CERT_FILE", str(endpoint.ca_bundle))
        deliver(endpoint)
        assert len(endpoint.requests) == 1


def test_nobody_vouches_for_it(roots: Path) -> None:
    """If no root certificate of the system has issued the server's certificate, nothing is sent,
    and the error says that the certificate is not trusted."""
    with Endpoint(tls="127.0.0.1") as other, Endpoint(tls="127.0.0.1") as endpoint:
        index(other.ca_bundle, roots)
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            deliver(endpoint)
        assert endpoint.requests == []
