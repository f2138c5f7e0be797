"""One run of terraform in our terminal, from the command line to its exit code.

Terraform is started first; whatever reporting needs is imported while it works. The terminal, the
signals and the exit code are terraform's.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tfevents.errors import UNDELIVERED
from tfevents.journal import run_lock
from tfevents.journal.run_lock import RunLock
from tfevents.reporting.run import Run, RunResult
from tfevents.settings.environment import METADATA_PREFIX, identifiers, read_switch
from tfevents.settings.home import find_home, find_user_file
from tfevents.terminal import print_line
from tfevents.terraform.arguments import parse_arguments
from tfevents.terraform.workdir import WorkingDirectory, file_identity
from tfevents.wrapper import process
from tfevents.wrapper.signals import Interrupted, SignalForwarder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from subprocess import Popen
    from typing import Any

    from tfevents.errors import SettingError
    from tfevents.reporting.run_reporter import RunReporter

LOG_VARIABLE = "TF_TEMP_LOG_PATH"
"""Where every engine writes its core log, if the file is there (internal/logging/logging.go)."""

PRIVATE_PLAN = "not-kept-without-your-own-out"
"""Where terraform's closing note is not hidden it names the file."""


class ReportedRun(NamedTuple):
    """`exit_code`: negative for the signal it died of. `event`: the end event's body, or {}."""

    exit_code: int
    event: Mapping[str, Any]


def run_and_report(
    argv: tuple[str, ...], env: Mapping[str, str], binary: str, *, stage: bool = False
) -> ReportedRun:
    """Runs what was asked and reports it; `stage`: the end of a pipeline's stage as well.

    Raises OSError where terraform could not be started. Becomes terraform where nothing can be
    reported.
    """
    arguments = parse_arguments(argv, env)
    if arguments is None or arguments.helps:
        process.become(binary, argv, env)
    _hold_streams()
    try:
        lock = _acquire_lock(env)
    except OSError:
        print_line("nothing is reported: no directory can be written to")
        process.become(binary, argv, env)
    try:
        with SignalForwarder() as signals:
            run = Run(arguments, binary, env, lock, stage=stage)
            _note(run)
            return _run_and_report(run, signals)
    finally:
        lock.release()


def _hold_streams() -> None:
    """A stream that is closed must not become one of our files, to be written to as a stream.

    Terraform still finds it closed, as it would without us: ours are not inherited.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _acquire_lock(env: Mapping[str, str]) -> RunLock:
    """Under home, or in its stand-in where that can't be written, or is full. Raises OSError."""
    home = find_home(env)
    with suppress(OSError):
        if os.path.isabs(home):
            return run_lock.acquire(home)
    from tfevents.journal.fallback_home import find_fallback_home  # rarely wanted

    return run_lock.acquire(find_fallback_home())


def _note(run: Run) -> None:
    """What the run is, for whoever finds that it has gone without an end."""
    run.lock.write_note(
        {
            "operation": run.arguments.command,
            "mode": run.arguments.mode.value,
            "opened_at": run.opened_at,
            "directory": run.directory,
            **identifiers(run.env),
        }
    )


def _run_and_report(run: Run, signals: SignalForwarder) -> ReportedRun:
    reporter = BackgroundReporter(run)
    words, env = _prepare_command(run)
    if run.arguments.command == "import":
        reporter.find_state_before(signals)
    result = _run_terraform(run, words, env, signals, reporter)
    try:
        return _report(run, result, signals, reporter)
    except Exception as error:  # broad on purpose: the report never breaks the run
        print_line(f"nothing is reported: {type(error).__name__} (a bug)")
        return ReportedRun(result.exit_code, {})


def _prepare_command(run: Run) -> tuple[list[str], Mapping[str, str]]:
    """Terraform's arguments and environment: as typed, and what tells us of a plan or an apply."""
    arguments, workdir = run.arguments, WorkingDirectory(run.directory, run.env)
    direct = _is_direct(run.env) or workdir.in_cloud
    if arguments.command == "plan":
        return _prepare_plan(run, direct=direct)
    if arguments.command in ("apply", "destroy"):
        env = run.env if direct else _request_core_log(run)
        if run.core_log is None:
            run.state_before = workdir.read_state_identity()
        return arguments.with_flag(), env
    return arguments.with_flag(), run.env


def _is_direct(env: Mapping[str, str]) -> bool:
    """Whether the user wants terraform to be given nothing of ours."""
    said = read_switch("direct", env)
    if said is not None:
        return said
    if find_user_file(env) is None:
        return False
    from tfevents.settings.switches import is_on  # reads the user's own file

    return is_on("direct", env)


def _prepare_plan(run: Run, *, direct: bool) -> tuple[list[str], Mapping[str, str]]:
    """The user's own `-out`, wherever it was given, else a private one.

    Where terraform has to say that it generated a configuration, what would hide its closing note
    hides that, too (PlanNextStep in internal/command/views/operation.go): its core log is read.
    """
    arguments = run.arguments
    out = arguments.value("out")
    if out:
        run.plan_file = run.locate(out)
        run.older_plan = file_identity(run.plan_file)
        return arguments.with_flag(), run.env
    if direct or not arguments.sure:
        return arguments.with_flag(), run.env
    if arguments.value("generate-config-out") is not None:
        return arguments.with_flag(), _request_core_log(run)
    run.plan_file = run.lock.create_file(PRIVATE_PLAN)
    run.older_plan = file_identity(run.plan_file)
    # its closing note would tell people to apply our file
    needs_init = WorkingDirectory(run.directory, run.env).lacks_plugins  # which it would not name
    env = run.env if needs_init else {**run.env, "TF_IN_AUTOMATION": "1"}
    return arguments.with_flag(f"-out={run.plan_file}"), env


def _request_core_log(run: Run) -> Mapping[str, str]:
    """Terraform's environment, with a place for its core log where one can be had."""
    run.core_log = _create_log(run)
    return {**run.env, LOG_VARIABLE: run.core_log} if run.core_log else run.env


def _create_log(run: Run) -> str | None:
    """A private file for the core log; None where none can be had, or the user has one.

    With a limit on a file's size (`ulimit -f`) terraform would die of a log that is too long.
    """
    if LOG_VARIABLE in run.env:
        return None
    if resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        return None
    with suppress(OSError):
        return run.lock.create_file("core.log")
    return None


def _run_terraform(
    run: Run,
    words: list[str],
    env: Mapping[str, str],
    signals: SignalForwarder,
    reporter: BackgroundReporter,
) -> RunResult:
    """Terraform in our terminal; the reporter begins the moment it works."""
    since = time.monotonic()
    try:
        signals.start(partial(process.start, run.binary, words, env))
    except Interrupted as early:  # terraform would have died of it
        return RunResult(-early.number, signals=tuple(signals.received), started=False)
    reporter.begin()
    exit_code = signals.wait()
    return RunResult(
        exit_code,
        seconds=time.monotonic() - since,
        wrote_plan=_wrote_plan(run),
        signals=tuple(signals.received),
    )


def _wrote_plan(run: Run) -> bool:
    """A failed plan may leave an older file where it was: only a new one is this run's."""
    if run.plan_file is None:
        return False
    found = file_identity(run.plan_file)
    return found is not None and found != run.older_plan


def _report(
    run: Run, result: RunResult, signals: SignalForwarder, background: BackgroundReporter
) -> ReportedRun:
    reporter = background.wait()
    signals.when_idle = reporter.shorten_deadline
    if signals.interrupted:
        reporter.shorten_deadline()
    _use_tools(reporter)
    reporter.finish(result)
    signals.dismiss()
    run.lock.clear_files()  # nobody needs the private files any more
    told = reporter.deliver()
    if told.line and not reporter.settings.quiet:
        print_line(told.line)
    strict = reporter.settings.strict and result.exit_code in (0, 2)
    exit_code = UNDELIVERED if strict and not told.delivered else result.exit_code
    return ReportedRun(exit_code, reporter.last_event)


def _use_tools(reporter: RunReporter) -> None:
    """What stores artifacts and estimates cost, where that is switched on: most runs do without
    httpx, python-hcl2 and redaction."""
    if reporter.wants_tools:
        from tfevents.delivery.artifact_store import store_artifacts
        from tfevents.delivery.artifacts import estimate_cost
        from tfevents.reporting.attachments import Tools

        reporter.use_tools(Tools(store_artifacts, estimate_cost))


def _find_overrides(env: Mapping[str, str]) -> tuple[Mapping[str, Any], Sequence[SettingError]]:
    """TFEVENTS_METADATA_*, checked; with jsonschema, which most runs do without."""
    if not any(name.startswith(METADATA_PREFIX) for name in env):
        return {}, ()
    from tfevents.context.overrides import gather_valid_overrides

    return gather_valid_overrides(env)


class BackgroundReporter:
    """Imports and starts the reporter while terraform works."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._reporter: RunReporter | None = None
        self._thread = threading.Thread(target=self._start, name="reporter", daemon=True)

    def begin(self) -> None:
        """Once, however often it is called."""
        with suppress(RuntimeError):
            self._thread.start()

    def wait(self) -> RunReporter:
        """The reporter, when it works. Raises RuntimeError where it can't."""
        self.begin()
        self._thread.join()
        if self._reporter is None:
            raise RuntimeError("the report could not be prepared")
        return self._reporter

    def find_state_before(self, signals: SignalForwarder) -> None:
        """What an import gains can only be told against a state from before; optional."""
        with suppress(RuntimeError):
            reporter = self.wait()
            signals.when_idle = reporter.shorten_deadline
            reporter.find_state_before()

    def _start_sender(self) -> Popen[bytes] | None:
        """First of all: it has as much to import as the reporter, and does so beside it."""
        from tfevents.delivery.sender_start import may_have_key, start_sender

        with suppress(OSError):
            return start_sender(self._run.env) if may_have_key(self._run.env) else None
        return None

    def _start(self) -> None:
        try:
            sender = self._start_sender()
            from tfevents.reporting.run_reporter import RunReporter

            reporter = RunReporter(self._run, *_find_overrides(self._run.env), sender=sender)
            reporter.start()
            self._reporter = reporter
        except Exception as error:  # broad on purpose: the run goes on without
            import logging

            logging.getLogger("tfevents").info("no reporter: %s", type(error).__name__)
