"""Artifacts are made from the files that the run's provisioner reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tfevents.deadline import Deadline
from tfevents.delivery.artifact_source import ArtifactSource
from tfevents.delivery.artifacts import COLLECTORS
from tfevents.journal.run_lock import hold_lock
from tfevents.terraform.client import TerraformClient


@pytest.mark.parametrize(
    ("opentofu", "source"),
    [
        (True, "registry.opentofu.org/hashicorp/random"),
        (False, "registry.terraform.io/hashicorp/aws"),
    ],
)
def test_providers_are_those_of_the_provisioner(
    opentofu: bool, source: str, tmp_path: Path
) -> None:
    """OpenTofu has a registry of its own, and `.tofu` files that hide `.tf` files."""
    (tmp_path / "main.tofu").write_text('provider "random" {}')
    (tmp_path / "main.tf").write_text('provider "aws" {}')
    client = TerraformClient("terraform", (), {})
    with hold_lock(str(tmp_path / "home")) as lock:
        made = ArtifactSource(client, lock, str(tmp_path), {}, opentofu=opentofu)
        path = COLLECTORS["providers"](made, Deadline(5))
        assert path is not None
        (provider,) = json.loads(Path(path).read_text())
    assert provider["source"] == source
