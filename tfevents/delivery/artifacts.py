"""Creates the redacted file of each kind of artifact that a run can store with Harness."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

from tfevents.context import cost_file as costfile
from tfevents.context import infracost
from tfevents.deadline import Deadline
from tfevents.delivery.artifact_source import ArtifactSource
from tfevents.readers.hcl import inventory
from tfevents.readers.json.redaction.redactor import PLAN, PRICED, STATE, Redactor

# One function for each kind: the path of a private file with its contents, or None


def _collect_modules(source: ArtifactSource, _: Deadline) -> str | None:
    return _write_inventory(source, "modules")


def _collect_providers(source: ArtifactSource, _: Deadline) -> str | None:
    return _write_inventory(source, "providers")


def _write_inventory(source: ArtifactSource, kind: str) -> str | None:
    data_dir = source.env.get("TF_DATA_DIR") or ".terraform"
    found = inventory.read_inventory(source.directory, opentofu=source.opentofu, data_dir=data_dir)
    rows = found.as_json()[kind]
    return _write(source, kind, json.dumps(rows).encode()) if rows else None


def _collect_cost_breakdown(source: ArtifactSource, _: Deadline) -> str | None:
    """The cost file as it was parsed and written again: never the file's original bytes."""
    if source.cost_file is None:
        return None
    return _write(source, "cost", costfile.read_redacted(source.cost_file))


def _collect_cost_diff(source: ArtifactSource, deadline: Deadline) -> str | None:
    """The cost file as in `_collect_cost_breakdown`; None where it has no difference of costs."""
    return _collect_cost_breakdown(source, deadline) if source.has_cost_diff else None


def _collect_plan(source: ArtifactSource, deadline: Deadline) -> str | None:
    """The plan as redacted JSON; None without a plan file."""
    if source.plan_file is None:
        return None
    return _redact(source, source.show_plan(source.plan_file, deadline), Redactor(), PLAN)


def estimate_cost(source: ArtifactSource, deadline: Deadline) -> str | None:
    """The path of a file with infracost's estimate for the plan; None without a plan file.

    infracost reads a redacted plan. Raises UnreadableDocument.
    """
    if source.plan_file is None:
        return None
    program = infracost.find_infracost(source.env)
    plan_json = source.show_plan(source.plan_file, deadline)
    plan = _redact(source, plan_json, Redactor(), PRICED)
    path = source.lock.create_file("infracost.json")
    infracost.estimate_cost(program, plan, path, source.env, deadline)
    return path


def _collect_state(source: ArtifactSource, deadline: Deadline) -> str | None:
    """The redacted state file; None where the run has no state.

    Sensitive values are also collected from `show -json`, where older versions of the provisioner
    mark values that they don't mark in the state file, and from the plan, the only place that says
    what the configuration declares as sensitive.
    """
    if not source.has_state:
        return None
    redactor = Redactor()
    values = source.save_output("state-values.json", ["show", "-json"], deadline)
    _collect_sensitive_values(redactor, values)
    if source.plan_file is not None:
        _collect_sensitive_values(redactor, source.show_plan(source.plan_file, deadline))
    state = source.save_output("state.json", ["state", "pull"], deadline)
    return _redact(source, state, redactor, STATE)


def _collect_sensitive_values(redactor: Redactor, path: str) -> None:
    """Reads the sensitive values of the JSON file at `path`, then removes it: it holds secrets."""
    with open(path, "rb") as file:
        redactor.collect(file.read)
    os.unlink(path)


def _redact(source: ArtifactSource, path: str, redactor: Redactor, sections: frozenset[str]) -> str:
    """Writes a redacted copy of `path` with only these sections and removes `path`.

    Reads the file twice: first to collect the sensitive values, then to replace them.
    """
    with open(path, "rb") as file:
        redactor.collect(file.read)
    redacted = source.lock.create_file(f"redacted-{os.path.basename(path)}")
    with open(path, "rb") as file, open(redacted, "wb") as out:
        out.writelines(redactor.rewrite(file.read, sections))
    os.unlink(path)
    return redacted


def _write(source: ArtifactSource, name: str, text: bytes) -> str:
    path = source.lock.create_file(name)
    with open(path, "wb") as file:
        file.write(text)
    return path


COLLECTORS: Mapping[str, Callable[[ArtifactSource, Deadline], str | None]] = {
    "modules": _collect_modules,
    "providers": _collect_providers,
    "cost_breakdown": _collect_cost_breakdown,
    "cost_diff": _collect_cost_diff,
    "plan": _collect_plan,
    "state": _collect_state,
}
