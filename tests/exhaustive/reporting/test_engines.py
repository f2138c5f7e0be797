"""Runs of other real engines through `tf`: OpenTofu 1.6.2 and Terraform 1.6 to 1.15."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.engines import (
    TERRAFORM_VERSIONS,
    clean_env,
    opentofu_1_6_2,
    terraform_version,
)
from support.stage import Stage, settings

EPHEMERAL = [v for v in TERRAFORM_VERSIONS if int(v.split(".")[1]) >= 10]
PROJECT = """
variable "n" {
  default = 1
}
variable "list" {
  type    = list(string)
  default = []
}
resource "terraform_data" "same" {}
resource "terraform_data" "changes" {
  input = var.n
}
resource "terraform_data" "replaced" {
  triggers_replace = var.n
}
resource "terraform_data" "many" {
  for_each = toset(var.list)
  input    = each.key
  provisioner "local-exec" {
    command = "test '${each.key}' != bad"
  }
  depends_on = [terraform_data.changes, terraform_data.replaced]
}
output "n" {
  value = var.n
}
"""


def on_stage(tmp_path: Path, engine: Path) -> Stage:
    """A project for this engine."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir(exist_ok=True)
    env = {**clean_env(home, engine), **settings(home)}
    return Stage(project, {**env, "TFEVENTS_PROVISIONER": engine.name})


def engine_of(name: str) -> Path:
    """The path of the engine of this name."""
    return opentofu_1_6_2() if name == "opentofu-1.6.2" else terraform_version(name)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["opentofu-1.6.2", *TERRAFORM_VERSIONS])
def test_a_life_from_plan_to_destroy(tmp_path: Path, name: str) -> None:
    """From plan to destroy, variables reach the engine, and event rows, counts and closing line are
    exact."""
    stage = on_stage(tmp_path, engine_of(name))
    stage.write(PROJECT)
    stage.write('list = ["a", "b"]\n', "more.tfvars")
    more = ("-var-file=more.tfvars", "-var", "n=2")

    (event,) = stage.run("plan", *more)
    assert (event.row, event.counts()) == ("apply_needed plan success", "a5")
    product = "opentofu" if name.startswith("opentofu") else "terraform"
    version = name.removeprefix("opentofu-")
    assert event.metadata["provisioner"] == product
    assert event.metadata["provisioner_version"] == version

    _, event = stage.run("apply", "-auto-approve", *more)
    assert (event.row, event.counts()) == ("active apply success", "a5")
    assert event.counts("output") == "a1"

    (event,) = stage.run("apply", "-auto-approve", *more)
    assert (event.row, event.counts()) == ("active apply success", "u5")

    stage.run("plan", "-out=p")
    _, event = stage.run("apply", "p")
    assert (event.row, event.counts()) == ("active apply success", "a1 c1 d3 u1")
    assert event.counts("output") == "c1"

    bad = ("-var", 'list=["bad"]', "-var=n=3")
    _, event = stage.run("apply", "-auto-approve", *bad)
    assert (event.row, event.counts()) == ("failed apply failure", "a1 c1 d1 u1")
    assert event.data["tainted"] == "1"

    start, event = stage.run("destroy", "-auto-approve", "-no-color", *more)
    assert (start.row, event.row) == ("destroying destroy", "inactive destroy success")
    assert event.counts() == "d4"
    assert "Destroy complete! Resources: 4 destroyed." in stage.stdout


@pytest.mark.parametrize("name", EPHEMERAL)
def test_an_apply_with_an_ephemeral_variable(tmp_path: Path, name: str) -> None:
    """An apply with an ephemeral variable succeeds and has its counts; Terraform 1.10 and later
    have such variables."""
    stage = on_stage(tmp_path, engine_of(name))
    stage.write(
        'variable "token" {\n type = string\n ephemeral = true\n}\n'
        'resource "terraform_data" "a" {\n'
        ' provisioner "local-exec" {\n  command = "test ${var.token} = s3cret"\n }\n}\n'
    )
    _, event = stage.run("apply", "-auto-approve", "-var=token=s3cret")
    assert (event.row, event.counts()) == ("active apply success", "a1")


@pytest.mark.parametrize("kind", ["link", "script", "copy"])
def test_opentofu_under_terraforms_name(tmp_path: Path, kind: str) -> None:
    """The provisioner in the event is the one that the engine itself names, not the name of its
    file."""
    tofu, other = opentofu_1_6_2(), tmp_path / "terraform"
    if kind == "link":
        other.symlink_to(tofu)
    elif kind == "copy":
        shutil.copy(tofu, other)
    else:
        (tmp_path / "tofu").symlink_to(tofu)
        other.write_text(f'#!/bin/sh\necho "switched to 1.6.2"  >&2\nexec {tmp_path}/tofu "$@"\n')
        other.chmod(0o755)
    stage = on_stage(tmp_path, other)
    stage.write(PROJECT)
    with stage.sit("apply", "-var=n=5") as terminal:
        terminal.expect("OpenTofu will perform the actions described above.")
        terminal.send("yes\n")
        assert terminal.wait() == 0
    _, event = stage.heard()
    assert (event.row, event.counts()) == ("active apply success", "a3")
    assert event.metadata["provisioner"] == "opentofu"
    (event,) = stage.run("refresh")
    assert event.metadata["provisioner"] == "opentofu"
    assert event.metadata["provisioner_version"] == "1.6.2"
