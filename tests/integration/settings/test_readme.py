"""The README's examples of settings files work as they are, and its table of settings is
complete."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.machine import KEY, ONE, SCRIPTS, Machine
from support.paths import README

from tfevents.settings.file_format import (
    CHECKOUT_FIELDS,
    ENVIRONMENT_ONLY,
    HARNESS_FIELDS,
    TOP_LEVEL_FIELDS,
)

ALONE, MONOREPO, TERRAGRUNT = re.findall(r"^```hcl\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with a git checkout around all projects."""
    machine = Machine(tmp_path)
    (tmp_path / ".git").mkdir()
    return machine


def target(machine: Machine, endpoint: Endpoint, directory: str, text: str, **unit: str) -> str:
    """Runs a plan in `directory` with these settings (with `unit`: Terragrunt's variables for its
    hook); returns the path of the last request, empty if the event was kept."""
    (machine.root / ".tfevents.hcl").write_text(text)
    place = machine.root / directory
    place.mkdir(parents=True, exist_ok=True)
    (place / "main.tf").write_text(ONE)
    before = len(endpoint.requests)
    hook = ["tfevents", "hook", "after", "plan", "--exit-code", "2"]
    words = hook if unit else ["tf", "plan"]
    done = subprocess.run(
        [SCRIPTS / words[0], *words[1:]],
        env={**machine.env, "TFEVENTS_URL": endpoint.url, "TFEVENTS_API_KEY": KEY, **unit},
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heard = endpoint.requests[before:]
    return heard[-1].target if heard else ""


def place_of(target: str) -> list[str]:
    """Organization, project and workspace in a request's path."""
    return re.findall(r"/(?:orgs|projects|workspaces)/([^/]+)", target)


def test_one_workspace(machine: Machine, endpoint: Endpoint) -> None:
    """In the README's first example, all directories have the same workspace."""
    for directory in (".", "a"):
        assert place_of(target(machine, endpoint, directory, ALONE)) == ["default", "infra", "prod"]


@pytest.mark.exhaustive
def test_a_monorepo(machine: Machine, endpoint: Endpoint) -> None:
    """In the README's monorepo, each named directory has its workspace, and a directory that is not
    named has none."""
    for directory, workspace in (("network", "prod_network"), ("data", "prod_data")):
        heard = target(machine, endpoint, f"live/prod/{directory}", MONOREPO)
        assert place_of(heard) == ["default", "infra", workspace]
    assert target(machine, endpoint, "live/sandbox", MONOREPO) == ""


@pytest.mark.exhaustive
def test_terragrunt(machine: Machine, endpoint: Endpoint) -> None:
    """With Terragrunt, the workspace is chosen by the unit's directory, not by the cache directory
    in which terraform runs."""
    for region in ("eu", "us"):
        unit = machine.root / "live" / region / "vpc"
        heard = target(
            machine,
            endpoint,
            f"live/{region}/vpc/.terragrunt-cache/x/y",
            TERRAGRUNT,
            TG_CTX_TERRAGRUNT_DIR=str(unit),
            TG_CTX_TF_PATH="terraform",
            TG_CTX_COMMAND="plan",
        )
        assert place_of(heard) == ["default", "live", f"{region}_vpc"]


def test_the_table_of_files_is_the_tables_of_fields() -> None:
    """The README's table lists exactly the settings that a checkout's file, the user's own file and
    no file may contain."""
    rows = dict(re.findall(r"^\| ([^|]*(?:hcl|file)[^|]*) \| ([^|]*) \|$", README, re.MULTILINE))
    said = {row: {*re.findall(r"`(\w+)`", text)} for row, text in rows.items()}
    assert said["`.tfevents.hcl`"] == CHECKOUT_FIELDS | {"harness"}
    assert said["your own `config.hcl`"] == (
        HARNESS_FIELDS | TOP_LEVEL_FIELDS
    ) - CHECKOUT_FIELDS - ENVIRONMENT_ONLY | {"harness"}
    assert said["no file"] == {f"TFEVENTS_{name.upper()}" for name in ENVIRONMENT_ONLY}
