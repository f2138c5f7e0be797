"""Runs terraform once in our terminal, from the command line to the exit code, and reports the run.

Everything that reporting needs is imported while terraform works, by this process and by the sender
process. The terminal, the signals and the exit code are terraform's.
"""

from __future__ import annotations

import os
import resource
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tfevents.errors import UNDELIVERED
from tfevents.journal import run_lock
from tfevents.journal.run_lock import RunLock
from tfevents.reporting.run import Run, RunResult, has_succeeded
from tfevents.settings.environment import identifiers, read_switch
from tfevents.settings.home import find_home, find_user_file
from tfevents.terminal import print_line
from tfevents.terraform.arguments import parse_arguments
from tfevents.terraform.workdir import WorkingDirectory, file_identity
from tfevents.wrapper import process
from tfevents.wrapper.reporter import BackgroundReporter
from tfevents.wrapper.signals import Interrupted, SignalForwarder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tfevents.reporting.run_reporter import RunReporter

LOG_VARIABLE = "TF_TEMP_LOG_PATH"
"""Environment variable with a path: terraform and tofu write their core log to that file if it
exists (internal/logging/logging.go)."""

PRIVATE_PLAN = "not-kept-without-your-own-out"
"""Name of the private plan file: terraform's closing note shows it, unless the note is hidden."""


class ReportedRun(NamedTuple):
    """How a reported run ended. `exit_code`: terraform's, negative for the signal it died of; or
    UNDELIVERED. `event`: the body of the end event, {} if there is none."""

    exit_code: int
    event: Mapping[str, Any]


def run_and_report(
    argv: tuple[str, ...], env: Mapping[str, str], binary: str, *, stage: bool = False
) -> ReportedRun:
    """Runs terraform with `argv` and reports the run. `stage`: whether the end of the run is also
    the end of a pipeline stage, which is then reported, too.

    Becomes terraform, without a report, if the arguments can't be parsed or ask for help, or if
    there is no directory for private files. Raises OSError if terraform could not be started.
    """
    arguments = parse_arguments(argv, env)
    if arguments is None or arguments.shows_help:
        process.exec_provisioner(binary, argv, env)
    _open_closed_streams()
    try:
        lock = _acquire_lock(env)
    except OSError:
        print_line("nothing is reported: no directory can be written to")
        process.exec_provisioner(binary, argv, env)
    try:
        with SignalForwarder() as signals:
            run = Run(arguments, binary, env, lock, stage=stage)
            _write_run_note(run)
            return _run_and_deliver(run, signals)
    finally:
        lock.release()


def _open_closed_streams() -> None:
    """Opens /dev/null for each standard stream that is closed.

    Otherwise the next file that we open would get the stream's number, and be written to as the
    stream. Terraform still finds the stream closed: our file descriptors are not inherited.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _acquire_lock(env: Mapping[str, str]) -> RunLock:
    """A run lock in the home directory, or in the fallback home if the home directory can't be
    written or is full. Raises OSError."""
    with suppress(OSError):
        return run_lock.acquire(find_home(env))
    from tfevents.journal.fallback_home import find_fallback_home  # rarely needed

    return run_lock.acquire(find_fallback_home())


def _write_run_note(run: Run) -> None:
    """Writes down what the run is, to report its end if it is abandoned (journal/recovery.py)."""
    run.lock.write_note(
        {
            "operation": run.arguments.command,
            "mode": run.arguments.mode.value,
            "opened_at": run.opened_at,
            "directory": run.directory,
            "tf_workspace": WorkingDirectory(run.directory, run.env).tf_workspace,
            **identifiers(run.env),
        }
    )


def _run_and_deliver(run: Run, signals: SignalForwarder) -> ReportedRun:
    reporter = BackgroundReporter(run)
    try:
        words, env = _prepare_command(run)
        if run.arguments.command == "import":
            reporter.pull_state_before(signals)
        result = _run_terraform(run, words, env, signals, reporter)
        return _finish_report(run, result, signals, reporter)
    finally:
        reporter.end_unused_sender()


def _prepare_command(run: Run) -> tuple[list[str], Mapping[str, str]]:
    """Terraform's arguments and environment: the user's own, and what makes terraform write a plan
    file or a core log for us. Also sets `run.plan_file`, `core_log` and `identity_before`."""
    arguments, workdir = run.arguments, WorkingDirectory(run.directory, run.env)
    direct = _is_direct(run.env) or workdir.in_cloud
    if arguments.command == "plan":
        return _prepare_plan(run, direct=direct)
    if arguments.command in ("apply", "destroy"):
        env = run.env if direct else _request_core_log(run)
        if run.core_log is None:
            run.identity_before = workdir.read_state_identity()
        return arguments.with_flag(), env
    return arguments.with_flag(), run.env


def _is_direct(env: Mapping[str, str]) -> bool:
    """Whether the user wants no flag and no variable of ours to be given to terraform."""
    switch = read_switch("direct", env)
    if switch is not None:
        return switch
    if find_user_file(env) is None:
        return False
    from tfevents.settings.switches import is_on  # reads the user's settings file

    return is_on("direct", env)


def _prepare_plan(run: Run, *, direct: bool) -> tuple[list[str], Mapping[str, str]]:
    """The arguments and environment of a plan: with the user's own `-out` (from the command line or
    TF_CLI_ARGS*), else with a private plan file.

    With -generate-config-out the core log is read instead: hiding terraform's closing note would
    also hide that a configuration was generated (PlanNextStep in
    internal/command/views/operation.go). The core log is also read with an empty `-out=`, which
    would win over a flag of ours. With a limit on the size of files neither is asked for:
    terraform would fail to write a plan that exceeds it.
    """
    arguments = run.arguments
    out = arguments.value("out")
    if out:
        run.plan_file = run.locate(out)
        run.older_plan = file_identity(run.plan_file)
        return arguments.with_flag(), run.env
    if direct or not arguments.parsed_exactly or _is_file_size_limited():
        return arguments.with_flag(), run.env
    if out == "" or arguments.value("generate-config-out") is not None:
        return arguments.with_flag(), _request_core_log(run)
    run.plan_file = run.lock.create_file(PRIVATE_PLAN)
    run.older_plan = file_identity(run.plan_file)
    # TF_IN_AUTOMATION hides the closing note, which would tell the user to apply our private file;
    # it also hides the advice to run `init`, so it is not set where that is needed
    needs_init = WorkingDirectory(run.directory, run.env).lacks_plugins
    env = run.env if needs_init else {**run.env, "TF_IN_AUTOMATION": "1"}
    return arguments.with_flag(f"-out={run.plan_file}"), env


def _request_core_log(run: Run) -> Mapping[str, str]:
    """Terraform's environment, with a file for the core log if one can be created; sets
    `run.core_log`."""
    run.core_log = _create_log(run)
    return {**run.env, LOG_VARIABLE: run.core_log} if run.core_log else run.env


def _create_log(run: Run) -> str | None:
    """A private file for the core log; None if it can't be created or the user has set
    TF_TEMP_LOG_PATH, and with a limit on the size of files (`ulimit -f`): terraform would be killed
    for a log that exceeds it."""
    if LOG_VARIABLE in run.env or _is_file_size_limited():
        return None
    with suppress(OSError):
        return run.lock.create_file("core.log")
    return None


def _is_file_size_limited() -> bool:
    """Whether there is a limit on the size of files (`ulimit -f`), which terraform inherits."""
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY


def _run_terraform(
    run: Run,
    words: list[str],
    env: Mapping[str, str],
    signals: SignalForwarder,
    reporter: BackgroundReporter,
) -> RunResult:
    """Runs terraform in our terminal; the reporter is started right after terraform."""
    since = time.monotonic()
    try:
        signals.start(partial(process.start, run.binary, words, env))
    except Interrupted as interruption:  # alone, terraform would have died of this signal
        return RunResult(-interruption.number, signals=tuple(signals.received), started=False)
    reporter.start()
    exit_code = signals.wait()
    return RunResult(
        exit_code,
        seconds=time.monotonic() - since,
        wrote_plan=_wrote_plan(run),
        signals=tuple(signals.received),
    )


def _wrote_plan(run: Run) -> bool:
    """Whether this run wrote the plan file: a failed plan may leave an older file in place."""
    if run.plan_file is None:
        return False
    found = file_identity(run.plan_file)
    return found is not None and found != run.older_plan


def _finish_report(
    run: Run, result: RunResult, signals: SignalForwarder, background: BackgroundReporter
) -> ReportedRun:
    try:
        return _report_end(run, result, signals, background.wait())
    except Exception as error:  # broad on purpose: a failed report must not fail the run
        print_line(f"nothing is reported: {type(error).__name__} (a bug)")
        return ReportedRun(result.exit_code, {})


def _report_end(
    run: Run, result: RunResult, signals: SignalForwarder, reporter: RunReporter
) -> ReportedRun:
    signals.on_signal_without_child = reporter.shorten_deadline
    if signals.interrupted:
        reporter.shorten_deadline()
    _set_attachment_functions(reporter)
    reporter.report_end(result)
    signals.end_probe()
    run.lock.clear_files()  # the private files are not needed any more
    report = reporter.deliver()
    if report.line and not reporter.settings.quiet:
        print_line(report.line)
    succeeded = has_succeeded(run.arguments, result.exit_code, result.signals)
    strict = reporter.settings.strict and succeeded
    exit_code = UNDELIVERED if strict and not report.delivered else result.exit_code
    return ReportedRun(exit_code, reporter.end_event)


def _set_attachment_functions(reporter: RunReporter) -> None:
    """Gives the reporter the functions that store artifacts and estimate cost, if one of the two is
    switched on. They import httpx, python-hcl2 and redaction, which most runs don't need."""
    if reporter.wants_attachments:
        from tfevents.delivery.artifact_store import store_artifacts
        from tfevents.delivery.artifacts import estimate_cost
        from tfevents.reporting.attachments import AttachmentFunctions

        reporter.set_attachment_functions(AttachmentFunctions(store_artifacts, estimate_cost))
