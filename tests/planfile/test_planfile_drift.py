"""Real drift, real noise: the AWS provider's `null` against `{}` and objects touched elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest
from planfile.compare import assert_same
from rig.aws import Aws
from rig.engines import opentofu_1_6_2, terraform, terraform_version

from tfevents.planfile import PlanFile

RESOURCES = """
resource "aws_ssm_parameter" "noisy" {
  name  = "/plan/noisy"
  type  = "SecureString"
  value = "hunter2"
}
resource "aws_ssm_parameter" "changed" {
  name  = "/plan/changed"
  type  = "String"
  value = "one"
  tags  = { a = "1" }
}
resource "aws_ssm_parameter" "deleted" {
  name  = "/plan/deleted"
  type  = "StringList"
  value = "a,b"
}
resource "aws_s3_bucket" "versioned" { bucket = "versioned" }
output "value" { value = aws_ssm_parameter.changed.insecure_value }
"""
MOVED = """
moved {
  from = aws_ssm_parameter.noisy
  to   = aws_ssm_parameter.moved
}
"""
ENGINE = os.environ.get("TFEVENTS_TEST_ENGINE", "")
"""Another engine to do it with: a version of terraform, or `opentofu-1.6.2`."""


@dataclass(frozen=True)
class Project:
    """A directory with the AWS provider, and what planning it needs."""

    place: Path
    engine: Path
    env: dict[str, str]

    def do(self, *words: str) -> CompletedProcess[bytes]:
        command = [str(self.engine), *words]
        done = run(command, cwd=self.place, env=self.env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done

    def plan(self, *flags: str) -> PlanFile:
        """A plan that both readers read alike."""
        self.do("plan", "-input=false", "-out=p", *flags)
        return assert_same(self.place / "p", self.do("show", "-json", "p").stdout)


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as server:
        yield server


@pytest.fixture
def project(aws: Aws, tmp_path: Path) -> Project:
    engine = terraform_version(ENGINE) if ENGINE[:1].isdigit() else terraform()
    engine = opentofu_1_6_2() if ENGINE.startswith("opentofu") else engine
    (tmp_path / "main.tf").write_text(aws.provider + RESOURCES)
    project = Project(tmp_path, engine, aws.environment(tmp_path / "home", engine))
    project.do("init", "-input=false")
    project.do("apply", "-input=false", "-auto-approve")
    return project


def drift(file: PlanFile) -> list[tuple[str, bool]]:
    return sorted(("/".join(d.actions), d.differs) for d in file.plan.drift or ())


@pytest.mark.timeout(600)
def test_drift_and_noise_are_read_alike(aws: Aws, project: Project) -> None:
    ssm, s3 = aws.client("ssm"), aws.client("s3")
    ssm.put_parameter(Name="/plan/changed", Value="two", Type="String", Overwrite=True)
    ssm.delete_parameter(Name="/plan/deleted")
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration=enabled)
    main = project.place / "main.tf"
    moved = RESOURCES.replace('"aws_ssm_parameter" "noisy"', '"aws_ssm_parameter" "moved"')
    main.write_text(aws.provider + moved + MOVED)
    true = [("delete", True), ("update", True), ("update", True)]
    for flags in ((), ("-refresh-only",)):
        found = drift(project.plan(*flags))
        assert [entry for entry in found if entry[1]] == true
        assert ("update", False) in found
