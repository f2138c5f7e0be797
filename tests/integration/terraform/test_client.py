"""Reading `show -json` of a plan while it is written, without keeping what is not needed in memory.

The provisioner is a script called `terraform` that knows `show -json` only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfevents.errors import UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.reporting.saved_plan import read_plan
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.plan import Plan

MEGABYTES = 80
TOOL = """\
#!{python}
import sys
assert sys.argv[1:3] == ["show", "-json"], sys.argv
{body}
"""
LARGE = f"""\
filler = "x" * 3000
sys.stdout.write('{{"format_version":"1.2","planned_values":{{"a":"')
for _ in range({MEGABYTES} * 300):
    sys.stdout.write(filler)
sys.stdout.write('"}},"resource_changes":[')
change = '{{"address":"a.b[%d]","mode":"managed","change":{{"actions":["update"],"before":"%s"}}}}'
sys.stdout.write(",".join(change % (n, filler) for n in range(1000)))
sys.stdout.write("]}}")
"""
READ = """
import json, re, sys
from tfevents.terraform.counts import count_resources
from tfevents.terraform.client import TerraformClient
from tfevents.reporting.saved_plan import read_plan
planned = read_plan(TerraformClient(sys.argv[1], (), {"TFEVENTS_PLAN_READER": "json"}), "p.tfplan")
status = open("/proc/self/status").read()
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024
print(json.dumps([count_resources(planned.plan).changed, peak]))
"""


def tool(place: Path, body: str) -> Path:
    """Writes the script, with `body` as what `show -json` does, and an empty plan file."""
    path = place / "terraform"
    path.write_text(TOOL.format(python=sys.executable, body=body))
    path.chmod(0o755)
    (place / "p.tfplan").write_bytes(b"")  # the plan file only has to exist
    return path


def shown(place: Path, body: str) -> Plan | None:
    """The plan that the script's `show -json` gives; None if there is none."""
    engine = TerraformClient(
        str(tool(place, body)), (), {**os.environ, "TFEVENTS_PLAN_READER": "json"}
    )
    planned = read_plan(engine, str(place / "p.tfplan"))
    return planned.plan if planned else None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told in /proc only")
def test_a_large_plan_is_counted_in_little_memory(tmp_path: Path) -> None:
    """A plan of more than 80 MB is counted in less memory than its size; runs use `show -json` if
    the plan file can't be read directly."""
    path = tool(tmp_path, LARGE)
    done = subprocess.run(
        [sys.executable, "-c", READ, path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    changed, peak = json.loads(done.stdout)
    assert changed == 1000
    assert peak < MEGABYTES


def document(size: int) -> str:
    """The JSON of a plan that adds one object, about `size` bytes long."""
    change = {"address": "a.b", "mode": "managed", "change": {"actions": ["create"]}}
    return json.dumps(
        {"format_version": "1.2", "variables": {"v": "x" * size}, "resource_changes": [change]}
    ).replace(": ", ":")


@pytest.mark.parametrize("size", [0, planjson.LARGE])
def test_what_a_cloud_backend_says_before_it_is_passed_by(tmp_path: Path, size: int) -> None:
    """Lines that a cloud backend prints before the plan's JSON are skipped.
    https://github.com/hashicorp/terraform/issues/35159"""
    (tmp_path / "plan.json").write_text("Retrying...\n" + document(size))
    plan = shown(tmp_path, f"print(open({str(tmp_path / 'plan.json')!r}).read())")
    assert plan is not None
    assert [change.actions for change in plan.changes] == [{"create"}]


@pytest.mark.parametrize("size", [0, planjson.LARGE])
def test_a_tool_that_fails_half_way_shows_nothing(tmp_path: Path, size: int) -> None:
    """A truncated plan from a provisioner that fails is no plan and no error."""
    (tmp_path / "plan.json").write_text(document(size)[:-2])
    body = f"print(open({str(tmp_path / 'plan.json')!r}).read())\nsys.exit(1)"
    assert shown(tmp_path, body) is None


@pytest.mark.parametrize("size", [0, planjson.LARGE])
def test_half_a_plan_of_a_tool_that_is_content_is_an_error(tmp_path: Path, size: int) -> None:
    """A truncated plan from a provisioner that exits with 0 raises UnreadableDocument."""
    (tmp_path / "plan.json").write_text(document(size)[:-2])
    with pytest.raises(UnreadableDocument):
        shown(tmp_path, f"print(open({str(tmp_path / 'plan.json')!r}).read())")


def test_a_tool_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `show -json` that exceeds its time limit gives no plan."""
    monkeypatch.setattr("tfevents.terraform.client.SHOW_SECONDS", 0.2)
    body = "import subprocess\nsubprocess.run(['sleep', '60'])"
    assert shown(tmp_path, body) is None
