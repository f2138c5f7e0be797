"""The same plan or apply gives the same events, with counts and metadata, through `tf` and through
hooks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.exhaustive import exhaustive_except
from support.hosts.field import Field, field, without_key

ESTATE = """\
resource "terraform_data" "same" { input = "a" }
resource "terraform_data" "update" { input = "NEW" }
resource "terraform_data" "replace" { triggers_replace = "NEW" }
output "told" { value = "NEW" }
"""
FIRST = ESTATE.replace("NEW", "old") + 'resource "terraform_data" "gone" {}\n'
SECOND = ESTATE + 'resource "terraform_data" "fresh" {\n  count = 2\n}\n'
VOLATILE = {"event_id", "run_id", "started_at", "finished_at", "overhead_ms"}


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Field]:
    """A field whose first configuration is committed and applied, and which now has the second
    one."""
    with field(tmp_path, project=FIRST) as keyed:
        place = without_key(keyed)
        place.sh("git init -q && echo '*.tfplan' > .gitignore && git add -A && git commit -qm one")
        place.sh("terraform init -input=false && terraform apply -auto-approve")
        (place.directory / "main.tf").write_text(SECOND)
        yield place


def twin(place: Field) -> Field:
    """A copy of the field's project, with its state, in another directory of the same name."""
    directory = place.directory.parent / "twin/project"
    shutil.copytree(place.directory, directory, symlinks=True)
    return replace(place, directory=directory)


def by_tf(place: Field, command: str, arguments: str) -> int:
    """Runs a command through `tf`; returns its exit code."""
    return place.sh(f"tf {command} -input=false {arguments}")


def by_hooks(place: Field, command: str, arguments: str) -> int:
    """Runs a command of terraform between hooks, as every CI file of `hooks/` does; returns its
    exit code."""
    place.sh(f"tfevents hook before {command} --plan-file run.tfplan")
    code = place.sh(f"terraform {command} -input=false {arguments}")
    place.sh(f"tfevents hook after {command} --exit-code {code} --plan-file run.tfplan")
    return code


def comparable(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event without what differs between two runs of the same plan. The checksum of the state
    is left out too, since the state has random ids."""
    metadata = dict(event["metadata"])
    assert metadata.pop("state_checksum", "sha") is not None
    data = {name: text for name, text in event["data"].items() if name not in VOLATILE}
    return {"event_type": event["event_type"], "metadata": metadata, "data": data}


def assert_the_same(place: Field, *, targeted: bool = False) -> None:
    """Asserts that the second half of the events, from hooks, equals the first half, from `tf`.
    `targeted`: the run had a -target, so that the numbers of unchanged objects are not compared."""
    events = [comparable(event) for event in place.events]
    types = [event["event_type"] for event in events]
    half = len(events) // 2
    assert types[half:] == types[:half]
    for hooked, dropped_in in zip(events[half:], events[:half], strict=True):
        if targeted:  # resources outside the -target are in both states, and in no plan
            for event in (hooked, dropped_in):
                event["metadata"].get("resource_counts", {}).pop("unchanged", None)
                event["metadata"].get("output_counts", {}).pop("unchanged", None)
        assert hooked == dropped_in


OPTIONS = ["", "-destroy", "-refresh-only", "-target=terraform_data.fresh"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("option", exhaustive_except(OPTIONS, ""))
def test_tf_and_hooks_tell_the_same(place: Field, option: str) -> None:
    """`tf` and hooks record the same events of a plan and its apply."""
    other = twin(place)
    for way, where in ((by_tf, place), (by_hooks, other)):
        assert way(where, "plan", f"-out=run.tfplan {option}") == 0
        assert way(where, "apply", "run.tfplan") == 0
    assert_the_same(place, targeted="target" in option)


@pytest.mark.exhaustive
def test_tf_and_hooks_tell_the_same_of_a_plan_that_does_not_refresh(place: Field) -> None:
    """If TF_CLI_ARGS_plan has -refresh=false, the events of `tf` and hooks have no drift counts."""
    unrefreshed = {**place.env, "TF_CLI_ARGS_plan": "-refresh=false"}
    place = replace(place, env=unrefreshed)
    other = twin(place)
    for way, where in ((by_tf, place), (by_hooks, other)):
        assert way(where, "plan", "-out=run.tfplan") == 0
    assert_the_same(place)
    assert "drift_counts" not in place.events[1]["metadata"]


@pytest.mark.exhaustive
def test_tf_and_hooks_tell_the_same_of_a_plan_that_fails(place: Field) -> None:
    """The event of a plan that fails has no counts, even if its plan file from an earlier run
    exists."""
    other = twin(place)
    for way, where in ((by_tf, place), (by_hooks, other)):
        assert way(where, "plan", "-out=run.tfplan") == 0
        (where.directory / "main.tf").write_text(SECOND.replace('"a"', "var.missing"))
        assert way(where, "plan", "-out=run.tfplan") == 1
    assert_the_same(place)
    assert "resource_counts" not in place.events[3]["metadata"]


@pytest.mark.exhaustive
def test_a_hook_counts_nothing_of_a_refresh_only_plan_of_a_part(place: Field) -> None:
    """A -refresh-only plan with a -target has no counts, neither by `tf` nor by hooks, since the
    plan does not show the other resources."""
    part = "-out=run.tfplan -refresh-only -target=terraform_data.same"
    for way, where in ((by_tf, place), (by_hooks, twin(place))):
        assert way(where, "plan", part) == 0
    assert_the_same(place)
    assert "resource_counts" not in place.events[1]["metadata"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("option", exhaustive_except(["", "-refresh-only"], ""))
def test_tf_and_hooks_tell_the_same_of_nothing_to_do(place: Field, option: str) -> None:
    """An apply that has nothing to do has an end event only."""
    (place.directory / "main.tf").write_text(FIRST)
    other = twin(place)
    for way, where in ((by_tf, place), (by_hooks, other)):
        assert way(where, "plan", f"-out=run.tfplan {option}") == 0
        assert way(where, "apply", "run.tfplan") == 0
    assert_the_same(place)
    assert [event["event_type"] for event in place.events][:2] == ["plan", "active"]
