"""Finds the facts about a run at one call of its hook: its plan, its state, its provisioner."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from tfevents import files
from tfevents.errors import ProvisionerNotFound, UnreadableDocument
from tfevents.events.table import find_operation
from tfevents.hosts.baseline import Baseline, identify_plans
from tfevents.hosts.call import HookCall
from tfevents.hosts.hook_outcome import HookFacts
from tfevents.journal.models import format_time
from tfevents.readers.json import plan as planjson
from tfevents.reporting.saved_plan import SavedPlan, read_plan
from tfevents.reporting.states import pull_state
from tfevents.settings.environment import find_provisioner
from tfevents.terraform import binary
from tfevents.terraform.arguments import PARTS, UNREFRESHED, Mode
from tfevents.terraform.client import TerraformClient, Version
from tfevents.terraform.counts import Counts, count_listed_drift, has_changes
from tfevents.terraform.plan import list_partial_reasons
from tfevents.terraform.state import NEVER_WRITTEN, State
from tfevents.terraform.workdir import FileIdentity


def find_client(call: HookCall, env: Mapping[str, str]) -> TerraformClient | None:
    """A client of the provisioner that the host runs; None if this machine has none that runs."""
    wanted = find_provisioner(env) or call.host.provisioner
    try:
        path = binary.find_binary(env, "tfevents", wanted, call.directory)
    except (ProvisionerNotFound, binary.NotExecutable):
        return None
    return TerraformClient(path, call.options, env)


def find_state(call: HookCall, client: TerraformClient | None) -> State | None:
    """The stored state. None where it can't be pulled, where it is not the run's state (`-state`),
    and for a plan, which does not write the state."""
    if client is None or call.command == "plan" or call.state_elsewhere:
        return None
    try:
        return pull_state(client)
    except UnreadableDocument:
        return None


def find_plan(
    call: HookCall,
    client: TerraformClient | None,
    env: Mapping[str, str],
    baseline: Baseline,
    opened_at: str = "",
) -> SavedPlan | None:
    """The plan in the plan file, else in the JSON that the host made from it; None without either.

    For a plan, a file unchanged since `before` is ignored: it holds an older plan, which this run
    did not overwrite because it failed. So is a file that `before` did not name, if it was written
    before `opened_at` (when `before` was called) and the run is not known to have succeeded.
    """
    plan_file, plan_json = call.plan_file, call.plan_json
    if call.command == "plan" and baseline.plans is not None:
        now = identify_plans(call)
        since = "" if call.succeeded else opened_at
        plan_file = plan_file if _is_fresh(now[0], baseline.plans[0], since) else None
        fresh = _is_stream(plan_json) or _is_fresh(now[1], baseline.plans[1], since)
        plan_json = plan_json if fresh else None
    found = _read_plan_file(plan_file, client, env, call.mode) if plan_file else None
    return found or (_read_plan_json(plan_json, call.mode) if plan_json else None)


def _is_fresh(now: FileIdentity | None, before: FileIdentity | None, since: str) -> bool:
    """Whether a file was written since `before` (None: not named or not found), else since a time.

    Compares whole seconds: some file systems keep no more of a modification time.
    """
    if now is None or before is not None:
        return now != before
    return format_time(now[0] / 1e9)[:19] >= since[:19]


def _read_plan_file(
    path: str, client: TerraformClient | None, env: Mapping[str, str], mode: Mode
) -> SavedPlan | None:
    try:
        return read_plan(client or TerraformClient("", (), env), path, mode)
    except UnreadableDocument:
        return None


def _read_plan_json(path: str, mode: Mode) -> SavedPlan | None:
    try:
        with _open_json(path) as file:
            return SavedPlan(planjson.read_plan_json(file.read, mode))
    except (OSError, UnreadableDocument):
        return None


@contextmanager
def _open_json(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        if sys.stdin is None:  # closed by the caller
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), path)
        yield sys.stdin.buffer
    elif _is_stream(path):
        with open(path, "rb") as stream:
            yield stream
    else:
        with files.open_untrusted(path) as file:
            yield file


def _is_stream(path: str | None) -> bool:
    """Whether the path is a stream that another process writes: `-`, or `<(…)` of a shell."""
    return path is not None and (path == "-" or path.startswith(("/dev/fd/", "/dev/stdin")))


def explain_missing_plan(call: HookCall) -> str | None:
    """Why the named plan file gave no plan; None if none is named.

    None, too, if the file exists but the run failed.
    """
    path = call.plan_file
    if path is None:
        return None
    if not os.path.exists(path):
        return f"there is no plan file {path}"
    return None if call.succeeded is False else f"{path} is no plan of this run"


def has_work(planned: SavedPlan | None, mode: Mode) -> bool:
    """Whether the run is about to change something. Without a plan: True, but for refresh-only."""
    if mode is Mode.REFRESH_ONLY:
        return planned is not None and count_listed_drift(planned.plan.drift or ()) != Counts()
    return planned is None or has_changes(planned.plan)


def collect_facts(
    call: HookCall, planned: SavedPlan | None, state: State | None, baseline: Baseline
) -> HookFacts:
    """All that is known about a run at its end. `state`: the stored state.

    An empty answer (no state) is only trusted if the run leaves an empty state: terraform may have
    stored a state where this call does not find it (another directory or backend).
    """
    if call.command == "plan" and call.succeeded is False and planned and not planned.plan.errored:
        planned = None  # an older plan: the failed run did not overwrite it
    mode = (planned.plan.mode if planned else None) or baseline.mode or call.mode
    if state and state.identity == NEVER_WRITTEN and not _leaves_nothing(call, planned, mode):
        state = None
    return HookFacts(
        operation=find_operation(call.command, mode),
        mode=mode,
        succeeded=call.succeeded,
        planned=planned,
        numbers_before=baseline.numbers,
        identity_before=baseline.state_identity,
        state_after=state,
        changes_by_code=call.has_changes,
        refreshed=UNREFRESHED not in call.partial_reasons,
        targeted=call.command == "plan" and bool(PARTS.intersection(call.partial_reasons)),
    )


def _leaves_nothing(call: HookCall, planned: SavedPlan | None, mode: Mode) -> bool:
    """Whether the run is known to have succeeded and to leave an empty state: it has destroyed
    everything, or its plan has no object and no output (compare RunFacts.leaves_empty_state)."""
    plan = planned.plan if planned else None
    flags = () if call.plan_file else call.partial_reasons
    targeted = planned is not None and planned.targeted
    if not call.succeeded or list_partial_reasons(plan, flags, targeted=targeted):
        return False
    if mode is Mode.DESTROY:
        return plan is not None or call.plan_file is None
    return plan is not None and not (plan.managed or plan.changes or plan.outputs)


def find_partial_reasons(facts: HookFacts, call: HookCall) -> tuple[str, ...]:
    """Why the plan does not cover everything, by the call or by the plan itself."""
    planned = facts.planned
    flags = call.partial_reasons if call.command == "plan" else ()
    return list_partial_reasons(
        planned.plan if planned else None,
        flags,
        targeted=planned is not None and planned.targeted,
    )


def describe_provisioner(facts: HookFacts, client: TerraformClient | None) -> dict[str, str]:
    """The contract's provisioner fields, by the plan file, else by the binary; empty if unknown."""
    planned = facts.planned
    if planned and planned.tool and planned.plan.terraform_version:
        return Version(planned.tool, planned.plan.terraform_version).metadata()
    version = client.find_version() if client else None
    return version.metadata() if version else {}
