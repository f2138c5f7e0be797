"""An AWS on loopback (moto) for the real AWS provider: for drift, which built-in providers can't
have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from support.engines import clean_env

_SERVICES = (
    *("cloudwatch", "dynamodb", "ec2", "ecr", "iam", "kms", "logs"),
    *("s3", "secretsmanager", "sns", "sqs", "ssm", "sts"),
)
_PROVIDER = Path("registry.terraform.io/hashicorp/aws")
_HOSTS = ("registry.terraform.io", "registry.opentofu.org")


class Aws:
    """A moto server, and what a terraform project needs to talk to it.

    with Aws() as aws:
        env = aws.environment(home, terraform())
        (project / "main.tf").write_text(aws.provider + RESOURCES)
        ...                                               # init, apply
        aws.client("ssm").delete_parameter(Name="/a")     # behind terraform's back

    One plan starts the provider three times (10 s and 600 MB of memory on two cores): use it
    where real drift is the point. `aws_sqs_queue` takes 25 s to create.
    """

    def __init__(self) -> None:
        self.packages = provider_packages()
        if find_spec("moto") is None or find_spec("flask") is None or find_spec("boto3") is None:
            pytest.skip("no moto[server] and boto3 installed")
        self._clients: list[Any] = []
        self.log: list[str] = []
        self._server = _start_moto()
        self.url = self._address()
        threading.Thread(target=self._listen, daemon=True).start()
        self.reset()

    def _address(self) -> str:
        assert self._server.stderr is not None
        for line in self._server.stderr:
            self.log.append(line)
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                return found[1]
        self._server.kill()
        raise RuntimeError(f"moto did not start: {''.join(self.log)}")

    def _listen(self) -> None:
        assert self._server.stderr is not None
        self.log.extend(self._server.stderr)  # a full pipe would stop the server

    def reset(self) -> None:
        """Deletes everything that was created on the server."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30):
            pass

    @property
    def provider(self) -> str:
        """The `provider "aws"` block."""
        return provider_block(self.url)

    def environment(self, home: Path, *engines: Path) -> dict[str, str]:
        """`clean_env` with a CLI configuration that finds the provider, for terraform and tofu."""
        env = clean_env(home, *engines)
        env["TMPDIR"] = tempfile.gettempdir()  # a provider's socket fails where its path is long
        mirror = link_mirror(home / "mirror", self.packages)
        Path(env["TF_CLI_CONFIG_FILE"]).write_text(cli_configuration(mirror))
        return env

    def client(self, service: str) -> Any:
        """A boto3 client, which is closed with the server."""
        client = import_module("boto3").client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._clients.append(client)
        return client

    def __enter__(self) -> Aws:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients:
            client.close()
        self._server.kill()
        self._server.wait()
        assert self._server.stderr is not None
        self._server.stderr.close()


def provider_packages() -> Path:
    """The directory of the newest AWS provider in a filesystem mirror: `…/aws/5.100.0`."""
    found = [
        version
        for mirror in _mirrors()
        for version in sorted((mirror / _PROVIDER).glob("[0-9]*"), key=_by_number)
        if any(version.iterdir())
    ]
    if not found:
        pytest.skip("no AWS provider in TFEVENTS_TEST_PROVIDERS or an implied mirror directory")
    return found[-1]


def _mirrors() -> Iterator[Path]:
    """The mirror directory to use, or none: the first one that has the AWS provider."""
    chosen = os.environ.get("TFEVENTS_TEST_PROVIDERS")
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    places = [Path(chosen)] if chosen else []
    places.append(Path.home() / ".terraform.d/plugins")
    places += [Path(place) / "terraform/plugins" for place in (data, *shared.split(":"))]
    places += sorted(entry for entry in Path("/opt").glob("*") if entry.is_dir())
    return iter([place for place in places if (place / _PROVIDER).is_dir()][:1])


def _by_number(version: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.name)]


def link_mirror(mirror: Path, packages: Path) -> Path:
    """A mirror of one version for terraform's and OpenTofu's registries.

    Real directories down to the version, and a link per platform: OpenTofu fails at `init` when a
    directory above is a link.
    """
    for host in _HOSTS:
        version = mirror / host / "hashicorp/aws" / packages.name
        version.mkdir(parents=True, exist_ok=True)
        for platform in packages.iterdir():
            link = version / platform.name
            link.unlink(missing_ok=True)
            link.symlink_to(platform)
    return mirror


def cli_configuration(mirror: Path) -> str:
    """The CLI configuration that installs the provider from the mirror and downloads nothing."""
    names = ", ".join(f'"{host}/hashicorp/aws"' for host in _HOSTS)
    return f"""\
provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = [{names}]
  }}
}}
disable_checkpoint = true
"""


def provider_block(url: str) -> str:
    """The `provider "aws"` block that sends every service used here to `url`."""
    endpoints = "\n".join(f'    {service} = "{url}"' for service in _SERVICES)
    return f"""\
provider "aws" {{
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  s3_use_path_style           = true
  endpoints {{
{endpoints}
  }}
}}
"""


def _start_moto() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
