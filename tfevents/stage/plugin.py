"""Runs a pipeline stage in its container: one run, and outputs for later steps."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn

from msgspec.structs import replace

from tfevents.errors import UNDELIVERED, TfeventsError, to_shell_status
from tfevents.events.model import Operation
from tfevents.events.table import activity_type
from tfevents.reporting.manual_event import ManualEvent, send_manual_event
from tfevents.reporting.reporter import INTERRUPTED_SECONDS
from tfevents.settings.environment import find_provisioner, is_disabled
from tfevents.settings.switches import is_on
from tfevents.stage.init import run_init
from tfevents.stage.outputs import write_annotation, write_outputs
from tfevents.stage.settings import COMMANDS, Stage, parse_stage
from tfevents.terminal import print_line
from tfevents.terraform import binary
from tfevents.terraform.arguments import Mode
from tfevents.wrapper import process
from tfevents.wrapper.main import run_reported
from tfevents.wrapper.signals import FORWARDED, SignalForwarder, set_default_handlers

DRIFTED, UNKNOWN_DRIFT = 2, 1
"""The exit codes of detect-drift if there is drift, and only then; and if tfevents can't tell."""


def run_plugin(env: Mapping[str, str]) -> int:
    """Runs the stage that the environment describes; gives the exit code. As PID 1, in a child
    process."""
    if os.getpid() == 1:
        return _run_as_init(partial(_run_stage, env))
    return _run_stage(env)


def _run_as_init(work: Callable[[], int]) -> int:
    """Runs `work` in a child process, forwards signals to it and reaps orphaned processes; gives
    the exit code."""
    with SignalForwarder(reaps=True) as signals:
        signals.start(partial(_start_child, work))
        return to_shell_status(signals.wait())  # PID 1 can't send itself the signal


def _start_child(work: Callable[[], int]) -> int:
    """Forks a child process that does `work`; gives its pid.

    Signals are blocked until the child process has their default actions: PID 1's handlers, which
    it inherits, would drop them.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    pid = os.fork()
    if pid == 0:
        set_default_handlers()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if pid == 0:
        _work_and_exit(work)
    return pid


def _work_and_exit(work: Callable[[], int]) -> NoReturn:
    """Does `work` and ends this process with its exit code; an error is one line on stderr."""
    code = 1
    try:
        code = work()
    except OSError as error:
        print_line(f"{error.filename or 'the stage'}: {error.strerror}")
    except Exception as error:
        print_line(f"{type(error).__name__} (a bug)")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 0xFF)


def _run_stage(env: Mapping[str, str]) -> int:
    try:
        stage = parse_stage(env)
        os.chdir(stage.directory)
        path = binary.find_binary(stage.env, "tfevents", find_provisioner(stage.env))
        return _run_command(stage, path)
    except TfeventsError as error:
        print_line(str(error))
        return error.exit_code
    except binary.NotExecutable as error:
        print_line(f"can't run {error.filename}: {error.strerror}")
        return 126


def _run_command(stage: Stage, path: str) -> int:
    if is_disabled(stage.env):
        return _run_unreported(stage, path)
    if stage.command == "stage-complete":
        return _send_event(stage, ManualEvent("stage-complete"))
    code, interrupted = run_init(stage, path)
    if code:
        return _report_failed_init(_shorten_timeout(stage) if interrupted else stage, code)
    arguments = (*COMMANDS[stage.command], *stage.arguments)
    result = run_reported(arguments, stage.env, path, stage=True)
    code = result.exit_code
    outputs = result.event or {"data": {"exit_code": str(to_shell_status(code))}}
    _write_outputs_and_annotation(stage.env, outputs)
    if stage.command == "detect-drift" and code in (0, DRIFTED):  # -detailed-exitcode may say 2
        return _find_drift_code(result.event)
    return process.end_as(code)


def _run_unreported(stage: Stage, path: str) -> int:
    """Runs the stage's command without events and outputs: this process becomes terraform. Gives
    the exit code of an `init` that failed."""
    if stage.command == "stage-complete":
        return 0
    code, _ = run_init(stage, path)
    if code:
        return to_shell_status(code)
    process.exec_provisioner(path, (*COMMANDS[stage.command], *stage.arguments), stage.env)


def _find_drift_code(event: Mapping[str, Any]) -> int:
    """The exit code of detect-drift by the run's end event, which is {} if the drift is unknown."""
    if not event:
        print_line("detect-drift: whether there is drift is not known")
        return UNKNOWN_DRIFT
    if event.get("event_type") == "failed":  # terraform died with the code that means drift
        return 1
    return DRIFTED if event.get("event_type") == "drifted" else 0


def _report_failed_init(stage: Stage, code: int) -> int:
    """Reports that the run failed, because `init` failed, and that the stage has ended; gives the
    exit code."""
    code = to_shell_status(code)
    metadata = {"activity_type": _find_activity_type(stage), "activity_status": "failure"}
    data = {"exit_code": str(code), "phase": "init"}
    _write_outputs_and_annotation(
        stage.env, {"event_type": "failed", "metadata": metadata, "data": data}
    )
    for event in (ManualEvent("failed", metadata, data), ManualEvent("stage-complete")):
        try:
            _send_event(stage, event, lenient=True)
        except TfeventsError as error:
            print_line(str(error))
    return code


def _find_activity_type(stage: Stage) -> str:
    words = COMMANDS[stage.command]
    mode = Mode.REFRESH_ONLY if "-refresh-only" in words else Mode.NORMAL
    return activity_type(Operation(words[0]), mode)


def _write_outputs_and_annotation(env: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """Writes the outputs and the annotation; prints a line for each that can't be written."""
    for write in (write_outputs, write_annotation):
        try:
            write(env, body)
        except OSError as error:
            problem = f"{error.filename or 'the outputs'}: {error.strerror}"
            print_line(f"a later step is not told: {problem}")


def _send_event(stage: Stage, event: ManualEvent, *, lenient: bool = False) -> int:
    """Sends the event and prints what became of it; gives the exit code. `lenient` and errors: as
    in `send_manual_event`."""
    result = send_manual_event(event, stage.directory, stage.env, {}, lenient=lenient)
    if not is_on("quiet", stage.env):
        print_line(result.line)
    return UNDELIVERED if result.strict and not result.delivered else 0


def _shorten_timeout(stage: Stage) -> Stage:
    """The stage with the timeout that applies after a signal: events that can't be sent within it
    are kept in the journal."""
    return replace(stage, env={**stage.env, "TFEVENTS_TIMEOUT": str(INTERRUPTED_SECONDS)})
