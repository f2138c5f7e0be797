"""Where Infracost's file is looked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from delivery.machine import Machine
from rig.endpoint import Endpoint


def write(path: Path, total: str) -> None:
    path.write_text(json.dumps({"version": "0.2", "projects": [], "totalMonthlyCost": total}))


@pytest.mark.parametrize(("named", "total"), [(False, "1"), (True, "2")])
def test_in_the_runs_directory_unless_it_is_named(tmp_path: Path, named: bool, total: str) -> None:
    """The setting is stronger than the file that lies there."""
    machine = Machine(tmp_path)
    place = machine.project()
    write(place / "infracost.json", "1")
    write(tmp_path / "named.json", "2")
    more = {"TFEVENTS_COST_FILE": str(tmp_path / "named.json")} if named else {}
    with Endpoint() as endpoint:
        env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT="60", **more)
        done = machine.tf("plan", at=place, env=env)
        assert done.returncode == 0, done.stderr
        assert endpoint.events[-1]["metadata"]["cost_total_monthly"] == total


def test_a_broken_one_costs_only_the_fact(tmp_path: Path) -> None:
    """It is said, and the event goes without."""
    machine = Machine(tmp_path)
    place = machine.project()
    (place / "infracost.json").write_text("{")
    with Endpoint() as endpoint:
        done = machine.tf("plan", at=place, env=machine.reporting_to(endpoint.url))
        assert done.returncode == 0, done.stderr
        assert "Infracost JSON" in done.stderr
        assert "cost_total_monthly" not in endpoint.events[-1]["metadata"]
