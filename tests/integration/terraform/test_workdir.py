"""If terraform works in a copy of a directory, the run is reported for the original directory."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import KEY, ONE, Machine

from tfevents.terraform.workdir import find_unit_directory

MAPPED = """
harness {
  org     = "default"
  project = "live"
}
workspace "eu_vpc" {
  directory = "live/eu/vpc"
}
"""
MANIFESTS = (".terragrunt-source-manifest", ".terragrunt-module-manifest")


@pytest.fixture
def repository(machine: Machine) -> Path:
    """A git checkout whose settings file maps the unit `live/eu/vpc` to a workspace."""
    root = machine.root / "repo"
    (root / ".git").mkdir(parents=True)
    (root / "live/eu/vpc").mkdir(parents=True)
    (root / ".tfevents.hcl").write_text(MAPPED)
    return root


def copy(place: Path, text: str = ONE) -> Path:
    """Writes a configuration into a new directory, as Terragrunt copies a unit's."""
    place.mkdir(parents=True)
    (place / "main.tf").write_text(text)
    return place


def reporting(machine: Machine, endpoint: Endpoint, **more: str) -> dict[str, str]:
    """The environment variables that make a run report to `endpoint`."""
    return {"TFEVENTS_URL": endpoint.url, "TFEVENTS_API_KEY": KEY, **more}


@pytest.mark.parametrize(
    "below", exhaustive_except(["aaa/bbb", "aaa/bbb/modules/vpc"], "aaa/bbb/modules/vpc")
)
def test_terragrunt_runs_tf(
    machine: Machine, endpoint: Endpoint, repository: Path, below: str
) -> None:
    """For `tf` in Terragrunt's cache (TG_TF_PATH=tf), workspace and directory are those of the
    unit."""
    at = copy(repository / "live/eu/vpc/.terragrunt-cache" / below)
    machine.tf("apply", "-auto-approve", at=at, env=reporting(machine, endpoint))
    assert {event["data"]["directory"] for event in endpoint.events} == {"live/eu/vpc"}
    assert {r.place.workspace for r in endpoint.requests if r.place} == {"eu_vpc"}


def test_a_cache_elsewhere_and_terragrunts_own_variable(
    machine: Machine, endpoint: Endpoint, repository: Path
) -> None:
    """In a cache outside the unit's directory (TG_DOWNLOAD_DIR), a hook's TG_CTX_TERRAGRUNT_DIR
    gives the directory."""
    at = copy(machine.root / "downloads/aaa/bbb")
    (at / MANIFESTS[0]).touch()
    unit = str(repository / "live/eu/vpc")
    env = reporting(machine, endpoint, TG_CTX_TERRAGRUNT_DIR=unit)
    machine.tf("plan", at=at, env=env)
    (event,) = endpoint.events
    assert event["data"]["directory"] == "live/eu/vpc"


def test_a_run_of_a_hook_s_own_is_not_the_unit_s(
    machine: Machine, endpoint: Endpoint, repository: Path
) -> None:
    """A run that a hook starts in a directory that is no copy of the unit is not reported for the
    unit."""
    at = copy(repository / "live/sandbox")
    unit = str(repository / "live/eu/vpc")
    env = reporting(machine, endpoint, TG_CTX_TERRAGRUNT_DIR=unit)
    machine.tf("destroy", "-auto-approve", at=at, env=env)
    assert endpoint.connections == 0
    assert {body["data"]["directory"] for body in machine.bodies()} == {"live/sandbox"}


def test_a_unit_s_run_that_was_killed_before_the_journal_knew_it(
    machine: Machine, endpoint: Endpoint, repository: Path
) -> None:
    """A run killed in a unit's copy before it was recorded in the journal is reported for the
    unit."""
    at = copy(repository / "live/eu/vpc/.terragrunt-cache/aaa/bbb")
    stay = """
import sys
from tfevents.journal import run_lock
lock = run_lock.acquire(sys.argv[1])
lock.write_note({"operation": "apply", "mode": "normal", "opened_at": "2026-01-01T00:00:00Z",
              "directory": sys.argv[2]})
print("here", flush=True)
sys.stdin.read()
"""
    left = machine.python(stay, str(machine.home), str(at))
    assert left.stdout is not None
    left.stdout.readline()
    left.kill()
    left.communicate()
    assert machine.flush(reporting(machine, endpoint)).returncode == 0
    (event,) = endpoint.events
    assert event["data"]["directory"] == "live/eu/vpc"
    assert [r.place.workspace for r in endpoint.requests if r.place] == ["eu_vpc"]


@pytest.mark.exhaustive
def test_spacelift_has_a_checkout_without_git(machine: Machine, endpoint: Endpoint) -> None:
    """On Spacelift, whose checkout has no `.git`, the project root variable gives the directory if
    the working directory's path ends with it."""
    at = copy(machine.root / "source/live/eu/vpc")
    env = machine.reporting_to(endpoint.url)
    for root in ("live/eu/vpc", "./live/eu/vpc/", "somewhere/else", "", "/", ".."):
        machine.tf("plan", at=at, env={**env, "TF_VAR_spacelift_project_root": root})
    told = [event["data"]["directory"] for event in endpoint.events]
    assert told == ["live/eu/vpc", "live/eu/vpc", "vpc", "vpc", "vpc", "vpc"]


def test_find_unit(tmp_path: Path) -> None:
    """The unit's directory comes from the path of Terragrunt's cache, or else from the variable if
    the directory is a copy or a hook of the unit calls."""
    copied, plain, said = copy(tmp_path / "copied"), copy(tmp_path / "plain"), "/live/vpc"
    (copied / MANIFESTS[1]).touch()
    env = {"TG_CTX_TERRAGRUNT_DIR": said}
    assert find_unit_directory("/u/.terragrunt-cache/a/b", {}) == "/u"
    assert find_unit_directory("/.terragrunt-cache/a/b", {}) == "/"
    assert find_unit_directory("/u/.terragrunt-cache/a/b", env) == "/u"
    assert find_unit_directory(str(copied), env) == said
    assert find_unit_directory(str(copied), {}) == str(copied)
    assert find_unit_directory(str(plain), env) == str(plain)
    assert find_unit_directory(str(plain), env, hooked=True) == said
