"""Our own provider for tests, whose objects are files, built once from `tests/provider`."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from support.cache import cached
from support.paths import TESTS

SOURCE = TESTS / "provider"
ADDRESS = "example.com/tfevents/files"
VERSION = "1.0.0"
REQUIRED = f"""\
terraform {{
  required_providers {{
    files = {{ source = "{ADDRESS}" }}
  }}
}}
"""
"""The block by which a module requires the provider."""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def mirror() -> Path:
    """A filesystem mirror that holds nothing but this provider; skips the test without Go."""
    return cached(f"files-{_digest()}", _build)


def cli_config() -> str:
    """A CLI configuration that installs the provider from the mirror and asks no registry."""
    return f"""\
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path = "{mirror()}"
  }}
}}
"""


def provider_env(home: Path) -> dict[str, str]:
    """Writes a CLI configuration into `home`; returns the environment variables that a process
    needs besides."""
    (home / "terraform.rc").write_text(cli_config())
    return {"TMPDIR": tempfile.gettempdir()}  # a provider's socket fails where its path is long


def _digest() -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update((SOURCE / name).read_bytes())
    return digest.hexdigest()[:16]


def _build(draft: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("no Go to build the provider of our own with")
    machine = _MACHINES.get(platform.machine(), platform.machine())
    place = draft / ADDRESS / VERSION / f"{sys.platform}_{machine}"
    place.mkdir(parents=True)
    command = ["go", "build", "-mod=readonly", "-buildvcs=false"]
    command += ["-o", str(place / f"terraform-provider-files_v{VERSION}"), "."]
    env = {"GOFLAGS": "", "CGO_ENABLED": "0", **os.environ}
    done = subprocess.run(
        command, cwd=SOURCE, env=env, capture_output=True, timeout=540, check=False
    )
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        pytest.skip(f"the provider of our own could not be built: {' '.join(last)[:200]}")
