"""The variables and the annotation that a stage writes for later steps, whatever the values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tfevents.stage import outputs

COUNTS = {"added": 2, "changed": 1, "deleted": 0, "imported": 0, "removed": 0, "unchanged": 4}
NONE = dict.fromkeys(COUNTS, 0)


def body(event_type: str = "apply_needed", **metadata: Any) -> dict[str, Any]:
    """An event's body."""
    about = {"activity_type": "plan", "activity_status": "success", **metadata}
    return {"event_type": event_type, "metadata": about, "data": {"exit_code": "2"}}


def written(path: Path) -> dict[str, str]:
    """The variables that were written to the file."""
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_plans_outputs(tmp_path: Path) -> None:
    """Every number that is known is written as a variable of its own."""
    path = tmp_path / "out"
    drift = {**NONE, "changed": 1}
    outputs.write_outputs(
        {"DRONE_OUTPUT": str(path)}, body(resource_counts=COUNTS, drift_counts=drift)
    )
    assert written(path) == {
        "TFEVENTS_EVENT_TYPE": "apply_needed",
        "TFEVENTS_ACTIVITY_TYPE": "plan",
        "TFEVENTS_ACTIVITY_STATUS": "success",
        "TFEVENTS_ADDED": "2",
        "TFEVENTS_CHANGED": "1",
        "TFEVENTS_DELETED": "0",
        "TFEVENTS_IMPORTED": "0",
        "TFEVENTS_REMOVED": "0",
        "TFEVENTS_UNCHANGED": "4",
        "TFEVENTS_DRIFTED": "1",
        "TFEVENTS_HAS_DRIFT": "true",
        "TFEVENTS_HAS_CHANGES": "true",
        "TFEVENTS_EXIT_CODE": "2",
    }


def test_what_is_unknown_is_left_out(tmp_path: Path) -> None:
    """A number that is not known is left out, so that a later step can distinguish 0 from not
    measured."""
    path = tmp_path / "out"
    outputs.write_outputs({"HARNESS_OUTPUT_FILE": str(path)}, {"event_type": "failed"})
    assert written(path) == {"TFEVENTS_EVENT_TYPE": "failed"}


def test_outputs_are_appended(tmp_path: Path) -> None:
    """Variables are appended, because the file may have other output of the step."""
    path = tmp_path / "out"
    path.write_text("MINE=1\n")
    outputs.write_outputs({"DRONE_OUTPUT": str(path)}, body())
    assert path.read_text().startswith("MINE=1\nTFEVENTS_EVENT_TYPE=")


@pytest.mark.parametrize(
    "hostile", ["x\nEVIL=1", "quote \" and ' and $(id)", "x" * 200_000, "\x1b[31mred", "tab\tcr\r"]
)
def test_a_hostile_value_stays_one_line(tmp_path: Path, hostile: str) -> None:
    """A value can't begin another variable, and its line has less than 64 KiB, which a reader
    accepts."""
    path = tmp_path / "out"
    outputs.write_outputs({"DRONE_OUTPUT": str(path)}, {"event_type": hostile})
    lines = path.read_bytes().split(b"\n")
    assert len(lines) == 2 and lines[1] == b""
    assert lines[0].startswith(b"TFEVENTS_EVENT_TYPE=")
    assert len(lines[0]) < 65536


def test_an_annotation_has_the_contracts_form(tmp_path: Path) -> None:
    """An annotation names its execution, and no other file is left beside it."""
    path = tmp_path / "annotations.json"
    env = {
        "HARNESS_ANNOTATIONS_FILE": str(path),
        "HARNESS_ACCOUNT_ID": "acct",
        "HARNESS_ORG_ID": "default",
        "HARNESS_PROJECT_ID": "infra",
        "HARNESS_PIPELINE_ID": "pipe",
        "HARNESS_EXECUTION_ID": "exec",
        "HARNESS_STAGE_ID": "stage",
    }
    outputs.write_annotation(env, body(resource_counts=COUNTS))
    document = json.loads(path.read_text())
    (annotation,) = document.pop("annotations")
    assert document == {
        "accountId": "acct",
        "orgId": "default",
        "projectId": "infra",
        "pipelineId": "pipe",
        "planExecutionId": "exec",
        "stageExecutionId": "stage",
    }
    assert annotation["style"] == "warning" and annotation["mode"] == "replace"
    assert 1 <= annotation["priority"] <= 10
    assert "| added | 2 |" in annotation["summary"]
    assert len(annotation["summary"].encode()) < 65536
    assert [p.name for p in tmp_path.iterdir()] == ["annotations.json"]


def test_an_annotation_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """If the annotation can't take its place, the error names it, and no draft stays beside it."""
    path = tmp_path / "annotations.json"
    path.mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        outputs.write_annotation({"HARNESS_ANNOTATIONS_FILE": str(path)}, body())
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("code", "style"), [("0", "success"), ("2", "success"), ("1", "error")])
def test_the_style_without_an_event_is_by_the_exit_code(code: str, style: str) -> None:
    """A run that failed without an event is no success."""
    (annotation,) = outputs.make_annotation({}, {"data": {"exit_code": code}})["annotations"]
    assert annotation["style"] == style


def test_no_annotation_where_none_is_wanted(tmp_path: Path) -> None:
    """Outside of Harness no annotation is written."""
    outputs.write_annotation({}, body())
    assert list(tmp_path.iterdir()) == []


def test_an_annotation_names_the_stage_that_the_event_names(tmp_path: Path) -> None:
    """The event's stage execution takes precedence over the environment's, because an IaCM step
    knows it better; other users may read the file."""
    path = tmp_path / "annotations.json"
    env = {"HARNESS_ANNOTATIONS_FILE": str(path), "HARNESS_STAGE_ID": "stage"}
    outputs.write_annotation(env, {**body(), "metadata": {"pipeline_stage_id": "execution"}})
    assert json.loads(path.read_text())["stageExecutionId"] == "execution"
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("hostile", ['"', "\\", "\n}", "\x00\x1b[31m", "x" * 65536, "\udcff"])
def test_a_hostile_identifier_is_still_json(tmp_path: Path, hostile: str) -> None:
    """An annotation is valid JSON whatever the pipeline's identifier contains."""
    path = tmp_path / "annotations.json"
    env = {"HARNESS_ANNOTATIONS_FILE": str(path), "HARNESS_PIPELINE_ID": hostile}
    outputs.write_annotation(env, body())
    assert json.loads(path.read_text())["pipelineId"] == hostile
