"""Somebody else runs terraform: its report, told by calls before and after it.

`before` opens a run in the journal, `after` and `error` close it. Between the two there is no
process of ours, so the run is found again by its key: the directory, the terraform workspace and
the host's own execution. Parallel units, workspaces and retries never meet.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from tfevents.context import ci
from tfevents.context.origin import read_event_file
from tfevents.errors import (
    UNDELIVERED,
    JournalUnavailable,
    ProvisionerNotFound,
    UnreadableDocument,
)
from tfevents.events.table import Numbers, operation_of, started
from tfevents.hosts.hook_outcome import HookFacts, determine_hook_outcome, planned_numbers
from tfevents.hosts.host import Host
from tfevents.journal import run_lock
from tfevents.journal.fallback import open_spare
from tfevents.journal.journal import Journal, open_journal
from tfevents.journal.models import Run, at, now
from tfevents.journal.recovery import killed
from tfevents.readers.json import plan as planjson
from tfevents.reporting.plan_and_state import SavedPlan, pull_state, read_plan
from tfevents.reporting.reporter import Reporter, ReportResult, RunInfo
from tfevents.settings.environment import TRUE
from tfevents.settings.home import find_home
from tfevents.settings.switches import is_on
from tfevents.terraform import arguments, binary
from tfevents.terraform.arguments import PARTS, UNREFRESHED, Mode
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.counts import Counts, count_drift, has_changes
from tfevents.terraform.state import State
from tfevents.terraform.workdir import WorkingDirectory, file_identity, find_unit

COMMANDS = {
    "plan": ("plan", Mode.NORMAL),
    "apply": ("apply", Mode.NORMAL),
    "destroy": ("destroy", Mode.DESTROY),
    "refresh": ("refresh", Mode.NORMAL),
    "import": ("import", Mode.NORMAL),
}
"""Terraform's commands that are reported; another one is none of ours."""

NOTHING = ReportResult(None, True)
TOLD_ALREADY = ReportResult("this run was told already, and nothing has happened since", True)


class Call(Struct, frozen=True):
    """One call of a hook, with what was given and, where nothing was, what the host says.

    `directory` is where terraform works, `unit` what the run is called by. `partial`: what the
    environment's own arguments leave out of a plan.
    """

    moment: str
    command: str
    mode: Mode
    directory: str
    unit: str
    tf_workspace: str
    execution: str
    host: Host
    plan_file: str | None = None
    plan_json: str | None = None
    exit_code: int | None = None
    partial: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same for all calls of one run; it says nothing by itself."""
        parts = "\0".join((self.unit, self.tf_workspace, self.execution))
        return hashlib.sha256(parts.encode(errors="surrogateescape")).hexdigest()

    @property
    def said(self) -> bool | None:
        """The outcome by word, in the order of trust; None where nobody said."""
        code = self.host.exit_code if self.exit_code is None else self.exit_code
        if self.moment == "error":
            return False
        if code is not None:
            return code in ((0, 2) if self.command == "plan" else (0,))
        return None if self.host.failed is None else not self.host.failed


def settle(
    moment: str, command: str | None, given: Mapping[str, Any], host: Host, env: Mapping[str, str]
) -> Call | None:
    """The call; None for a command that is not reported."""
    name, mode = COMMANDS.get(command or host.command or "", ("", Mode.NORMAL))
    if not name:
        return None
    directory = os.getcwd()
    asked = arguments.parse_arguments((name,), env)
    unit = given.get("directory") or find_unit(directory, env, hooked=True)
    return Call(
        moment=moment,
        command=name,
        mode=host.mode or (asked.mode if asked else mode),
        directory=directory,
        unit=os.path.realpath(unit),
        tf_workspace=host.tf_workspace or WorkingDirectory(directory, env).tf_workspace,
        execution=host.execution or _execution(env),
        host=host,
        plan_file=given.get("plan_file") or host.plan_file,
        plan_json=given.get("plan_json") or host.plan_json,
        exit_code=given.get("exit_code"),
        partial=host.partial or (asked.partial if asked else ()),
    )


def _execution(env: Mapping[str, str]) -> str:
    """The CI's own id of this job: elsewhere the same directory is another run."""
    build = ci.find_build(env, read_event_file)
    if build is None:
        return ""
    return ":".join(filter(None, (build.vendor, build.execution_id, build.stage_id)))


def run(call: Call, env: Mapping[str, str]) -> ReportResult:
    """One call, from its facts to what became of its report."""
    if call.host.reports_itself or env.get("TFEVENTS_DISABLED", "").strip().lower() in TRUE:
        return NOTHING
    with _hold_lock(env) as lock:
        hooked = _Hooked(call, env, lock)
        if call.moment == "before":
            return hooked.before()
        if call.host.everything:
            return hooked.everything()
        return hooked.after()


@contextmanager
def _hold_lock(env: Mapping[str, str]) -> Iterator[run_lock.RunLock]:
    """Ours for this call, under home, or in a temporary directory where that can't be written."""
    try:
        lock = run_lock.acquire(find_home(env))
    except OSError:
        lock = run_lock.acquire(run_lock.find_fallback_home())
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def _journal(env: Mapping[str, str]) -> Iterator[Journal]:
    """The journal, where one can be had; else a spare one, in which nothing may be open."""
    try:
        journal = open_journal(find_home(env))
    except JournalUnavailable:
        journal = open_spare()
    try:
        yield journal
    finally:
        journal.close()


def exit_code(moment: str, *, delivered: bool, env: Mapping[str, str]) -> int:
    """0: a hook never fails a run. Strict, 86 where something did not arrive; but not before the
    run, which that would keep from running."""
    missed = moment != "before" and not delivered
    return UNDELIVERED if missed and is_on("strict", env) else 0


class _Hooked:
    """One call at work."""

    def __init__(self, call: Call, env: Mapping[str, str], lock: run_lock.RunLock) -> None:
        self.call, self.env, self.lock = call, env, lock
        self.engine = _engine(call, env)
        self.unseen: str | None = None

    def before(self) -> ReportResult:
        """Opens the run; an older one of the same key can't come back any more."""
        call = self.call
        with _journal(self.env) as journal:
            for run in journal.open_runs(call.key):
                journal.end_run(run.run_id, None, [killed(run)])
        applies = call.command in ("apply", "destroy")
        planned = self._planned({}) if applies else None  # before a plan, only an older one
        report = self._report(None, self._base(planned))
        report.start()
        mode = planned.plan.mode if planned and planned.plan.mode else call.mode
        if applies and _has_work(planned, mode):
            report.begin(started(operation_of(call.command, mode)), {})
            return report.deliver()
        report.deliver()
        return ReportResult("; ".join(report.problems) or None, True)

    def _base(self, planned: SavedPlan | None) -> dict[str, Any]:
        """What `after` may not be able to find out any more: the state then, the plan's numbers."""
        state = self._state()
        return {
            "state": [state.serial, state.lineage] if state else None,
            "numbers": _saved_numbers(planned) if planned else None,
            "mode": planned.plan.mode.value if planned and planned.plan.mode else None,
            "plans": [_signature(self.call.plan_file), _signature(self.call.plan_json)],
            "execution": self.call.execution,
        }

    def after(self) -> ReportResult:
        """Closes the run that `before` opened, or tells of one that nobody opened.

        Hosts call `error` also when nothing of ours is open: another hook failed.
        """
        with _journal(self.env) as journal:
            opened = journal.open_runs(self.call.key)
            last = None if opened else journal.last_hook(self.call.key)
            told = journal.entries(1, last.run_id) if last else []
        failed = self.call.moment == "error"
        opened = [run for run in opened if failed or run.command == self.call.command]
        if failed and not opened:
            return NOTHING
        if last and told and self._repeats(last, told[0].body.get("data", {})):
            return TOLD_ALREADY
        return self._close(opened[-1] if opened else None)

    def _repeats(self, run: Run, said: Mapping[str, str]) -> bool:
        """Whether this call comes a second time: that run had its `before` and `after`, and neither
        the plan nor the state is another now."""
        call = self.call
        if "plans" not in (run.base or {}) or "finished_at" not in said:
            return False
        paths = filter(None, (call.plan_file, call.plan_json))
        planned = any(_written(path) > said["finished_at"] for path in paths)
        if planned or (run.command, run.exit_code) != (call.command, call.exit_code):
            return False
        state = self._state()
        found = (str(state.serial), state.lineage) if state and state.lineage else (None, None)
        return found == (said.get("serial"), said.get("lineage"))

    def everything(self) -> ReportResult:
        """Atlantis' post-workflow hook: what a failed command left open has failed."""
        if not self.call.said:
            with _journal(self.env) as journal:
                for run in journal.open_hooks():
                    if (run.base or {}).get("execution") == self.call.execution:
                        journal.end_run(run.run_id, None, [killed(run, how=None)])
        report = self._report(None, {}, opened=True)
        report.start()
        report.deliver()
        return NOTHING

    def _close(self, run: Run | None) -> ReportResult:
        base = run.base or {} if run else {}
        report = self._report(run, {})
        report.start()
        evidence = self._evidence(run, base)
        outcome = determine_hook_outcome(evidence)
        after = evidence.after
        data = {
            "counts": "exact" if outcome.numbers.resources else "absent",
            "outcome": "unknown" if outcome.proven is None else None,
            "partial": ",".join(_partial(evidence, self.call)),
            "missing": outcome.missing,
            "finished_at": now(),
            "exit_code": None if self.call.exit_code is None else str(self.call.exit_code),
            "serial": None if after is None or after.serial is None else str(after.serial),
            "lineage": after.lineage if after else None,
        }
        metadata = {
            **self._provisioner(evidence),
            **outcome.numbers.metadata(),
            **({"state_checksum": after.checksum} if after and after.checksum else {}),
        }
        if outcome.activity is None:
            report.problems.append("whether there is something to apply is not known")
        report.finish(outcome.activity, metadata, data, self.call.exit_code)
        told = report.deliver()
        return ReportResult(
            "; ".join(filter(None, (self.unseen, told.line))) or None, told.delivered
        )

    def _evidence(self, run: Run | None, base: Mapping[str, Any]) -> HookFacts:
        planned, call = self._planned(base), self.call
        if call.command == "plan" and call.said is False and planned and not planned.plan.errored:
            planned = None  # of an earlier plan, that nothing has overwritten
        command = run.command if run and run.command else call.command
        mode = planned.plan.mode if planned and planned.plan.mode else None
        mode = mode or (Mode(base["mode"]) if base.get("mode") else call.mode)
        stated = base.get("state")
        return HookFacts(
            operation=operation_of(command, mode),
            mode=mode,
            said=call.said,
            planned=planned,
            noted=_numbers(base.get("numbers")),
            before=(stated[0], stated[1]) if stated else None,
            after=self._state(),
            changes_by_code=call.exit_code == 2,
            refreshed=UNREFRESHED not in call.partial,
            targeted=command == "plan" and bool(PARTS.intersection(call.partial)),
        )

    def _state(self) -> State | None:
        """Where terraform may have written it, and can be asked."""
        if self.engine is None or self.call.command == "plan":
            return None
        try:
            return pull_state(self.engine)
        except UnreadableDocument:
            return None

    def _planned(self, base: Mapping[str, Any]) -> SavedPlan | None:
        """From the plan file, else from the JSON that the host made of it."""
        call = self.call
        plan_file, plan_json = self._own((call.plan_file, call.plan_json), base.get("plans"))
        planned = self._read(plan_file) if plan_file else None
        planned = planned or (_shown(plan_json, call.mode) if plan_json else None)
        self.unseen = self._why_unseen() if planned is None and call.plan_file else None
        return planned

    def _own(self, paths: Sequence[str | None], before: Sequence[Any] | None) -> list[str | None]:
        """Not what stands there since before a plan was made: a plan that failed left it there."""
        if before is None or self.call.command != "plan":
            return list(paths)
        return [p if _signature(p) != was else None for p, was in zip(paths, before, strict=True)]

    def _why_unseen(self) -> str | None:
        """A plan that was named, and can't be had, is said in the run's line."""
        path = self.call.plan_file
        if path and not os.path.exists(path):
            return f"there is no plan file {path}"
        return None if self.call.said is False else f"{path} is no plan of this run"

    def _read(self, path: str) -> SavedPlan | None:
        if not os.path.exists(path):
            return None
        try:
            return read_plan(self.engine or TerraformClient("", (), self.env), path, self.call.mode)
        except UnreadableDocument:
            return None

    def _provisioner(self, evidence: HookFacts) -> dict[str, str]:
        planned = evidence.planned
        if planned and planned.tool and planned.plan.terraform_version:
            tool = "opentofu" if planned.tool == "OpenTofu" else "terraform"
            return {"provisioner": tool, "provisioner_version": planned.plan.terraform_version}
        version = self.engine.find_version() if self.engine else None
        if version is None:
            return {}
        return {"provisioner": version.provisioner, "provisioner_version": version.number}

    def _report(
        self, run: Run | None, base: Mapping[str, Any], *, opened: bool = False
    ) -> Reporter:
        call = self.call
        return Reporter(
            RunInfo(
                lock=self.lock,
                operation=operation_of(call.command, call.mode).value,
                mode=call.mode.value,
                directory=call.unit,
                tf_workspace=call.tf_workspace,
                opened_at=run.opened_at if run else now(),
                env=self.env,
                key=call.key,
                command=call.command,
                identity=run.run_id if run else str(uuid.uuid4()),
                opened=opened or run is not None,
                base=base,
                plan_file=call.plan_file if call.command == "apply" else None,
            )
        )


def _engine(call: Call, env: Mapping[str, str]) -> TerraformClient | None:
    """The binary that the host runs, asked where it ran; none is none."""
    wanted = env.get("TFEVENTS_PROVISIONER") or call.host.provisioner
    try:
        return TerraformClient(binary.find_binary(env, "tfevents", wanted), (), env)
    except ProvisionerNotFound:
        return None


def _shown(path: str, mode: Mode) -> SavedPlan | None:
    try:
        with open(path, "rb") as file:
            return SavedPlan(planjson.stream(file.read, mode))
    except (OSError, UnreadableDocument):
        return None


def _has_work(planned: SavedPlan | None, mode: Mode) -> bool:
    """Whether something is about to be changed, as far as anybody knows (design §3.1)."""
    if mode is Mode.REFRESH_ONLY:
        return planned is not None and count_drift(planned.plan.drift or ()) != Counts()
    return planned is None or has_changes(planned.plan)


def _signature(path: str | None) -> list[int] | None:
    """Which file stands there, as JSON has it; a plan is never written twice with the same."""
    found = file_identity(path) if path else None
    return [*found] if found else None


def _written(path: str) -> str:
    """When, as an event says it; "" where there is no such file."""
    try:
        return at(os.stat(path).st_mtime)
    except OSError:
        return ""


def _partial(evidence: HookFacts, call: Call) -> Iterator[str]:
    """What makes the plan less than the whole, as far as it or the environment says so."""
    given = call.partial if call.command == "plan" else ()
    plan = evidence.planned.plan if evidence.planned else None
    yield from given
    if not given and evidence.planned and evidence.planned.targeted:
        yield "target"
    if plan and plan.errored:
        yield "errored"


def _saved_numbers(planned: SavedPlan) -> dict[str, Any]:
    return planned_numbers(planned.plan, saved=True, targeted=planned.targeted).metadata()


def _numbers(noted: Mapping[str, Any] | None) -> Numbers | None:
    """Numbers as `before` put them into the journal."""
    if not noted:
        return None
    names = ("resource_counts", "output_counts", "drift_counts")
    return Numbers(*(Counts(**noted[name]) if name in noted else None for name in names))
