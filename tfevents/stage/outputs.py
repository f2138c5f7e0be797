"""Writes the outputs of a stage for later steps: `KEY=value` lines, and an annotation."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from tfevents.terminal import printable

LONGEST_LINE = 65536
"""The most bytes of a line that Harness and Drone read (tests/data/contract/openapi.yaml)."""

COUNT_VARIABLES = {
    "ADDED": "added",
    "CHANGED": "changed",
    "DELETED": "deleted",
    "IMPORTED": "imported",
    "REMOVED": "removed",
    "UNCHANGED": "unchanged",
}
STYLES = {"failed": "error", "drifted": "warning", "apply_needed": "warning"}


def list_outputs(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The name and value of each output variable of an event; what is not known is left out."""
    metadata = body.get("metadata", {})
    counts, drift = metadata.get("resource_counts"), metadata.get("drift_counts")
    for name, field in (
        ("EVENT_TYPE", body.get("event_type")),
        ("ACTIVITY_TYPE", metadata.get("activity_type")),
        ("ACTIVITY_STATUS", metadata.get("activity_status")),
    ):
        if field:
            yield name, field
    for name, field in COUNT_VARIABLES.items():
        if counts:
            yield name, str(counts[field])
    if drift is not None:
        drifted = drift["changed"] + drift["deleted"]
        yield "DRIFTED", str(drifted)
        yield "HAS_DRIFT", str(drifted > 0).lower()
    if (changes := _find_has_changes(body)) is not None:
        yield "HAS_CHANGES", str(changes).lower()
    if (exit_code := body.get("data", {}).get("exit_code")) is not None:
        yield "EXIT_CODE", exit_code


def _find_has_changes(body: Mapping[str, Any]) -> bool | None:
    """Whether an event has changes: by the event type for a plan, else by the counts; None if there
    are no counts."""
    kind = body.get("event_type")
    if kind in ("apply_needed", "plan"):
        return bool(kind == "apply_needed")
    counts = body.get("metadata", {}).get("resource_counts")
    if counts is None:
        return None
    return any(counts[name] for name in ("added", "changed", "deleted", "imported", "removed"))


def write_outputs(env: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Appends the variables to $DRONE_OUTPUT, else $HARNESS_OUTPUT_FILE. Raises OSError."""
    path = env.get("DRONE_OUTPUT") or env.get("HARNESS_OUTPUT_FILE")
    if path:
        text = "".join(_make_line(f"TFEVENTS_{n}", v) for n, v in list_outputs(body))
        with open(path, "ab") as file:
            file.write(text.encode())


def _make_line(name: str, value: str) -> str:
    """A line `name=value`, cut at LONGEST_LINE. Control characters in the value are replaced: a
    line break would begin another variable."""
    clean = printable(value)
    room = LONGEST_LINE - len(name) - 2
    return f"{name}={clean.encode()[:room].decode(errors='ignore')}\n"


def write_annotation(env: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Writes $HARNESS_ANNOTATIONS_FILE, if it is set, atomically. Raises OSError."""
    path = env.get("HARNESS_ANNOTATIONS_FILE")
    if not path:
        return
    text = json.dumps(make_annotation(env, body))
    try:
        _replace_file(path, text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _replace_file(path: str, text: str) -> None:
    """Writes the file atomically; a draft that can't be written is removed. Raises OSError."""
    descriptor, draft = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o644)  # another user reads it
            file.write(text)
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            os.unlink(draft)
        raise


def make_annotation(env: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations document (contract/README.md, "Inside a Harness pipeline")."""
    metadata = body.get("metadata", {})
    return {
        "accountId": env.get("HARNESS_ACCOUNT_ID") or env.get("TFEVENTS_ACCOUNT", ""),
        "orgId": env.get("HARNESS_ORG_ID") or env.get("TFEVENTS_ORG", ""),
        "projectId": env.get("HARNESS_PROJECT_ID") or env.get("TFEVENTS_PROJECT", ""),
        "pipelineId": env.get("HARNESS_PIPELINE_ID", ""),
        "planExecutionId": metadata.get("pipeline_execution_id")
        or env.get("HARNESS_EXECUTION_ID", ""),
        "stageExecutionId": metadata.get("pipeline_stage_id") or env.get("HARNESS_STAGE_ID", ""),
        "annotations": [
            {
                "contextId": "tfevents",
                "stepId": env.get("HARNESS_STEP_ID", ""),
                "timestamp": int(time.time() * 1000),
                "style": _find_style(body),
                "summary": make_summary(body),
                "priority": 5,
                "mode": "replace",
            }
        ],
    }


def _find_style(body: Mapping[str, Any]) -> str:
    """The annotation's style: by the event type, or without an event, by the exit code."""
    if kind := body.get("event_type"):
        return STYLES.get(kind, "success")
    return "success" if body.get("data", {}).get("exit_code") in ("0", "2") else "error"


def make_summary(body: Mapping[str, Any]) -> str:
    """The output variables as a table in Markdown."""
    rows = [f"| {name.lower()} | {value} |" for name, value in list_outputs(body)]
    return "\n".join(["| tfevents | |", "|---|---|", *rows])
