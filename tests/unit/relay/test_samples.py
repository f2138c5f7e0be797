"""The samples for a relay only use options, variables and paths that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.paths import README, ROOT

from tfevents.cli.setup.receive import receive

SAMPLES = ROOT / "samples" / "relay"
COMPOSE, KUBERNETES = SAMPLES / "compose.yaml", SAMPLES / "kubernetes.yaml"


def read_relay(path: Path) -> tuple[list[str], set[str]]:
    """The arguments and the variables' names of the relay in a sample."""
    if path == COMPOSE:
        service: dict[str, Any] = yaml.safe_load(path.read_text())["services"]["relay"]
        return service["command"], {*service["environment"]}
    deployment, *_ = yaml.safe_load_all(path.read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container["args"], {one["name"] for one in container["env"]}


@pytest.mark.parametrize("path", [COMPOSE, KUBERNETES], ids=lambda path: path.name)
def test_options_variables_and_paths(path: Path) -> None:
    """The command accepts the sample's options, the README has its variables, and the sample checks
    the relay's /healthz."""
    words, names = read_relay(path)
    parsed = receive.make_context("receive", [*words]).params
    assert (parsed["forward"], parsed["host"]) == ("https://app.harness.io", "0.0.0.0")
    told = {name for name in names if name.startswith("TFEVENTS_")}
    assert "TFEVENTS_RELAY_SECRET" in told
    assert told - set(re.findall(r"TFEVENTS_[A-Z_]+", README)) == set()
    assert "/healthz" in path.read_text()


@pytest.mark.exhaustive
def test_the_compose_file_fits_its_schema() -> None:
    pytest.importorskip("check_jsonschema")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, COMPOSE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
