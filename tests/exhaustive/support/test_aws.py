"""The AWS server on loopback, with which real drift can be made."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.aws import Aws, provider_packages
from support.engines import opentofu_1_6_2, terraform

RESOURCES = """
resource "aws_ssm_parameter" "a" {
  name  = "/tests/a"
  type  = "String"
  value = "one"
}
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """A running AWS server."""
    with Aws() as aws:
        yield aws


def run(*words: str | Path, env: dict[str, str], cwd: Path) -> str:
    """stdout of a command that must succeed."""
    done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_provider_is_looked_for_where_a_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest provider in the directory that TFEVENTS_TEST_PROVIDERS names is used."""
    for version in ("5.9.0", "5.100.0"):
        platform = tmp_path / "registry.terraform.io/hashicorp/aws" / version / "linux_amd64"
        platform.mkdir(parents=True)
    monkeypatch.setenv("TFEVENTS_TEST_PROVIDERS", str(tmp_path))
    assert provider_packages().name == "5.100.0"


def test_the_server_answers_a_client_and_forgets(aws: Aws) -> None:
    """The server stores what a client writes, and `reset` removes everything."""
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/tests/b", Type="String", Value="x")
    assert ssm.get_parameter(Name="/tests/b")["Parameter"]["Value"] == "x"
    aws.reset()
    assert ssm.describe_parameters()["Parameters"] == []


@pytest.mark.timeout(300)
def test_what_is_touched_behind_terraforms_back_is_drift(aws: Aws, tmp_path: Path) -> None:
    """An object that is changed by another client is drift in terraform's plan."""
    aws.reset()
    env, project = aws.environment(tmp_path, terraform()), tmp_path / "project"
    project.mkdir()
    (project / "main.tf").write_text(aws.provider + RESOURCES)
    engine = terraform()
    run(engine, "init", "-input=false", env=env, cwd=project)
    run(engine, "apply", "-auto-approve", env=env, cwd=project)
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/tests/a", Type="String", Value="two", Overwrite=True)
    run(engine, "plan", "-refresh-only", "-out=p", env=env, cwd=project)
    plan = json.loads(run(engine, "show", "-json", "p", env=env, cwd=project))
    (drift,) = plan["resource_drift"]
    assert drift["change"]["before"]["value"] == "one"
    assert drift["change"]["after"]["value"] == "two"


@pytest.mark.timeout(300)
def test_opentofu_finds_the_provider_too(aws: Aws, tmp_path: Path) -> None:
    env = aws.environment(tmp_path, opentofu_1_6_2())
    (tmp_path / "main.tf").write_text(aws.provider)
    run(opentofu_1_6_2(), "init", "-input=false", env=env, cwd=tmp_path)
    assert "registry.opentofu.org" in (tmp_path / ".terraform.lock.hcl").read_text()
