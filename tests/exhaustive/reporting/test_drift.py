"""Real drift: the AWS provider works with an AWS server on loopback; one test has all steps,
because each plan takes long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.aws import Aws
from support.engines import terraform
from support.stage import Stage, settings

PARAMETERS = """
resource "aws_ssm_parameter" "p" {
  for_each = toset(["changed", "deleted", "untouched"])
  name     = "/${each.key}"
  type     = "String"
  value    = "v1"
}
output "changed" {
  value = nonsensitive(aws_ssm_parameter.p["changed"].value)
}
"""


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A running AWS server."""
    with Aws() as running:
        yield running


@pytest.mark.timeout(900)
def test_drift_is_what_somebody_did(tmp_path: Path, aws: Aws) -> None:
    """Objects changed or deleted outside of terraform count as drift, differences that the provider
    itself causes do not; after drift is accepted there is none left."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    env = {**aws.environment(home, terraform()), **settings(home)}
    stage = Stage(project, env)
    stage.write(aws.provider + PARAMETERS)
    stage.engine("init")
    _, end = stage.run("apply", "-auto-approve")
    assert (end.row, end.counts(), end.counts("drift")) == ("active apply success", "a3", "")

    (event,) = stage.run("plan")  # nothing was changed: the provider shows tags null as {}
    assert (event.row, event.counts()) == ("plan plan success", "u3")
    assert (event.counts("drift"), event.data["drift_listed"]) == ("", "3")

    (event,) = stage.run("apply", "-refresh-only", "-auto-approve")  # no real drift
    assert (event.row, event.counts("drift")) == ("active apply success", "")

    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/changed", Value="v2", Type="String", Overwrite=True)
    ssm.delete_parameter(Name="/deleted")

    (event,) = stage.run("plan", "-refresh=false")
    assert (event.row, event.counts("drift")) == ("plan plan success", None)
    assert event.data["partial"] == "refresh=false"

    (event,) = stage.run("plan", "-refresh-only")
    assert event.row == "drifted drifted success"
    assert (event.counts("drift"), event.counts()) == ("c1 d1", "u1")

    (event,) = stage.run("plan", "-out=p")
    assert (event.row, event.counts()) == ("apply_needed plan success", "a1 c1 u1")
    assert event.counts("drift") == "c1 d1"

    (end,) = stage.run("apply", "-refresh-only", "-auto-approve")  # no start event
    assert end.row == "active apply success"
    assert (end.counts("drift"), end.counts("output")) == ("c1 d1", "c1")

    _, end = stage.run("destroy", "-auto-approve")
    assert (end.row, end.counts(), end.counts("drift")) == ("inactive destroy success", "d2", None)
