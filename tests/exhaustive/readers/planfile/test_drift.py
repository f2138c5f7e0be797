"""Drift of real AWS objects: both readers of a plan tell real drift from differences between `null`
and `{}` that the AWS provider causes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.aws import Aws
from support.engines import opentofu_1_6_2, terraform, terraform_version
from support.planfile.compare import assert_same
from support.planfile.project import Project
from support.planfile.workshop import Made

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
"""The engine to use instead of the terraform on PATH: a version of terraform, or
`opentofu-1.6.2`."""


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A running AWS server."""
    with Aws() as server:
        yield server


@pytest.fixture
def project(aws: Aws, tmp_path: Path) -> Project:
    """A project whose resources are applied."""
    engine = terraform_version(ENGINE) if ENGINE[:1].isdigit() else terraform()
    engine = opentofu_1_6_2() if ENGINE.startswith("opentofu") else engine
    project = Project(aws, tmp_path, engine)
    project.write(RESOURCES)
    project.do("init", "-input=false")
    project.do("apply", "-input=false", "-auto-approve")
    return project


def drift(made: Made) -> list[tuple[str, bool]]:
    """The drifted objects of a plan, which both readers must read alike: their actions, and whether
    values differ."""
    file = assert_same(made.saved, made.shown)
    return sorted(("/".join(d.actions), d.differs) for d in file.plan.drift or ())


@pytest.mark.timeout(600)
def test_drift_and_noise_are_read_alike(aws: Aws, project: Project) -> None:
    """Both readers find the same drift, and tell real differences from the provider's own."""
    ssm, s3 = aws.client("ssm"), aws.client("s3")
    ssm.put_parameter(Name="/plan/changed", Value="two", Type="String", Overwrite=True)
    ssm.delete_parameter(Name="/plan/deleted")
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration=enabled)
    moved = RESOURCES.replace('"aws_ssm_parameter" "noisy"', '"aws_ssm_parameter" "moved"')
    project.write(moved + MOVED)
    true = [("delete", True), ("update", True), ("update", True)]
    for flags in ((), ("-refresh-only",)):
        found = drift(project.plan(*flags))
        assert [entry for entry in found if entry[1]] == true
        assert ("update", False) in found
