"""A fixed set of random runs with the terraform on PATH (more: `python tests/proof exactness`), and
the judge of such runs notices wrong events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.engines import ENGINES, terraform
from support.paths import DATA
from support.runs.engineword import State, Told
from support.runs.facts import Truth, compare_facts
from support.runs.found import Found
from support.runs.judge import Judge
from support.runs.play import Trial
from support.runs.script import Turn, read_script

SEEDS = (1, 4, 6, 12)
COMMANDS = 4
RECORDS = sorted((DATA / "runs").glob("*.json"))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_run_differs_from_the_engine(tmp_path: Path, seed: int) -> None:
    """Random runs through `tf` have the engine's output, exit codes and states, and the counts that
    the engine reports."""
    found = Trial("terraform", terraform(), tmp_path).play_seed(seed, COMMANDS)
    assert [(one.turn, one.wrong) for one in found if one.wrong] == []


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_what_was_once_found_is_found_no_more(tmp_path: Path, path: Path) -> None:
    """Recorded runs that once had a wrong result have none now."""
    script = read_script(path)
    trial = Trial(script.engine, ENGINES[script.engine](), tmp_path)
    assert [(one.turn, one.wrong) for one in trial.play_script(script) if one.wrong] == []


CREATED = """\
files_object.a: Creating...
files_object.a: Creation complete after 0s [id=a.txt]

Apply complete! Resources: 1 added, 0 changed, 0 destroyed.
"""
INSTANCE = {"attributes": {"path": "a.txt", "id": "a.txt"}}
ZEROS = dict.fromkeys(("added", "changed", "deleted", "imported", "removed", "unchanged"), 0)


def judged(counts: dict[str, int], rows: list[tuple[str, str, str]]) -> Found:
    """The result of judging a run that created one object and is reported with these counts and
    event rows."""
    found = Found(Turn(("apply", "-auto-approve")))
    after = State({("files_object.a", ""): INSTANCE}, {})
    judge = Judge(found, found.turn, Told(CREATED, "", 0), None, State(), after)
    judge.judge([event(*row, counts) for row in rows])
    return found


START, END = ("provisioning", "apply", ""), ("active", "apply", "success")


def event(kind: str, activity: str, status: str, counts: dict[str, int]) -> dict[str, Any]:
    """An event with this row; with counts if it has a status."""
    about: dict[str, Any] = {"activity_type": activity}
    if status:
        about |= {"activity_status": status, "resource_counts": {**ZEROS, **counts}}
        about["output_counts"] = ZEROS
    return {"event_type": kind, "metadata": about}


def test_a_right_report_is_right() -> None:
    """The judge finds nothing wrong with a correct report."""
    assert judged({"added": 1}, [START, END]).wrong == []


@pytest.mark.parametrize("counts", [{}, {"added": 2}, {"added": 1, "unchanged": 1}])
def test_a_wrong_count_is_seen(counts: dict[str, int]) -> None:
    """The judge notices a wrong count."""
    (wrong,) = judged(counts, [START, END]).wrong
    assert "resource_counts" in wrong


@pytest.mark.parametrize("rows", [[END], [START, ("inactive", "apply", "success")]])
def test_a_wrong_row_is_seen(rows: list[tuple[str, str, str]]) -> None:
    """The judge notices a missing start event and a wrong end event."""
    (wrong,) = judged({"added": 1}, rows).wrong
    assert "events" in wrong


def test_a_saved_plan_that_is_refused_was_not_begun_with() -> None:
    """The judge expects no start event if OpenTofu refuses a saved plan because a variable has
    another value than in the plan."""
    found = Found(Turn(("apply", "saved.plan"), saved=()))
    told = Told("", "Error: Mismatch between input and plan variable value\n", 1)
    judge = Judge(found, found.turn, told, None, State(), State())
    about = {"activity_type": "apply", "activity_status": "failure"}
    judge.judge([{"event_type": "failed", "metadata": about}])
    assert found.wrong == []


PULLED = '{"serial": 7, "lineage": "l"}\n'
FACTS = {"serial": "7", "exit_code": "0", "tf_workspace": "default", "lineage": "l"}


@pytest.mark.parametrize("name", FACTS)
def test_a_wrong_fact_is_seen(name: str) -> None:
    """A fact in the event that differs from the engine's is noticed."""
    truth = Truth("1.11.4", "default", 0, PULLED)
    right = {"metadata": {"provisioner_version": "1.11.4"}, "data": FACTS}
    wrong = {"metadata": {}, "data": {**FACTS, name: "other"}}
    assert [found for _, found in compare_facts(right, truth)] == [None] * 5
    (found,) = (found for _, found in compare_facts(wrong, truth) if found)
    assert found.startswith(f"fact {name} is other, the engine's ")
