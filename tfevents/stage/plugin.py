"""The pipeline stage container: settings from PLUGIN_*, one run, outputs for the steps after it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tfevents.errors import UNDELIVERED, SettingError, TfeventsError
from tfevents.events.model import Operation
from tfevents.events.table import activity_type
from tfevents.readers.hcl import inventory
from tfevents.reporting.manual_event import ManualEvent, send_manual_event
from tfevents.reporting.reporter import INTERRUPTED_SECONDS
from tfevents.settings.environment import PREFIX
from tfevents.stage.outputs import annotate, write_outputs
from tfevents.terminal import print_line
from tfevents.terraform import binary
from tfevents.terraform.arguments import Mode
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.workdir import WorkingDirectory
from tfevents.wrapper import process
from tfevents.wrapper.main import report
from tfevents.wrapper.signals import SignalForwarder

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "plan": ("plan", "-input=false"),
    "plan-destroy": ("plan", "-destroy", "-input=false"),
    "plan-refresh-only": ("plan", "-refresh-only", "-input=false"),
    "detect-drift": ("plan", "-refresh-only", "-input=false"),
    "apply": ("apply", "-auto-approve", "-input=false"),
    "apply-refresh-only": ("apply", "-refresh-only", "-auto-approve", "-input=false"),
    "destroy": ("destroy", "-auto-approve", "-input=false"),
    "import": ("import", "-input=false"),
}
"""PLUGIN_COMMAND → what is run: nobody is there to be asked."""

DRIFTED = 2
"""The exit code of detect-drift where there is drift, and only there."""

OWN = tuple(
    f"PLUGIN_{name}" for name in ("COMMAND", "ROOT_DIR", "ARGS", "INIT", "ENDPOINT_VARIABLES")
)
"""What the stage is told by; all else is a setting as anywhere."""

ENDPOINT = {
    "base_url": "URL",
    "account_id": "ACCOUNT",
    "org_id": "ORG",
    "project_id": "PROJECT",
    "workspace_id": "WORKSPACE",
    "token": "API_KEY",
}
"""A member of the IaCM step's PLUGIN_ENDPOINT_VARIABLES → our setting (contract/README.md)."""


class Stage(Struct, frozen=True):
    """What the stage is asked to do, and with which environment."""

    command: str
    directory: str
    arguments: tuple[str, ...]
    init: str
    env: Mapping[str, str]


def read(env: Mapping[str, str]) -> Stage:
    """The stage's settings. Raises SettingError."""
    command = _given(env, "COMMAND") or "plan"
    if command not in (*COMMANDS, "stage-complete"):
        raise SettingError(
            f"PLUGIN_COMMAND: {command[:40]!r} is none of {', '.join(COMMANDS)}, stage-complete"
        )
    init = _given(env, "INIT") or "auto"
    if init not in ("auto", "always", "never"):
        raise SettingError(f"PLUGIN_INIT: {init[:20]!r} is none of auto, always, never")
    try:
        arguments = tuple(shlex.split(_given(env, "ARGS") or ""))
    except ValueError as error:
        raise SettingError(f"PLUGIN_ARGS: {error}") from None
    directory = os.path.abspath(_given(env, "ROOT_DIR") or ".")
    if not os.path.isdir(directory):
        raise SettingError(f"PLUGIN_ROOT_DIR: there is no directory {directory}")
    return Stage(command, directory, arguments, init, settings(env))


def _given(env: Mapping[str, str], name: str) -> str | None:
    """An empty setting is absent: a pipeline passes unresolved ones on as nothing."""
    return env.get(f"PLUGIN_{name}", "").strip() or None


def settings(env: Mapping[str, str]) -> dict[str, str]:
    """The environment with every PLUGIN_X as TFEVENTS_X, and the IaCM step's own endpoint.

    First found wins: TFEVENTS_X, PLUGIN_X, the endpoint's variables; Harness' own come after.
    """
    found = {name: value for name, value in env.items() if value or not name.startswith(PREFIX)}
    for name, value in env.items():
        if name.startswith("PLUGIN_") and name not in OWN and value.strip():
            found.setdefault(PREFIX + name.removeprefix("PLUGIN_").removeprefix(PREFIX), value)
    for name, value in _endpoint(env).items():
        found.setdefault(PREFIX + name, value)
    return found


def _endpoint(env: Mapping[str, str]) -> dict[str, str]:
    text = _given(env, "ENDPOINT_VARIABLES")
    if text is None:
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise SettingError("PLUGIN_ENDPOINT_VARIABLES: this takes a JSON object")
    known = {ENDPOINT[k]: v for k, v in given.items() if k in ENDPOINT and isinstance(v, str) and v}
    return {**known, "API_PATH": "/api"} if "URL" in known else known


def plugin(env: Mapping[str, str]) -> int:
    """The entry point of the image; as PID 1 it also reaps what nobody else does."""
    if os.getpid() == 1:
        return _as_init(lambda: _stage(env))
    return _stage(env)


def _as_init(work: Callable[[], int]) -> int:
    """PID 1: a child does the work, signals reach it once, orphans are reaped."""
    with SignalForwarder(reaps=True) as signals:
        signals.start(partial(_fork, work))
        return _status(signals.wait())


def _status(code: int) -> int:
    """PID 1 can't die by a signal of its own: it says so as a shell does."""
    return code if code >= 0 else 128 - code


def _fork(work: Callable[[], int]) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = work()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code & 0xFF)
    return pid


def _stage(env: Mapping[str, str]) -> int:
    try:
        stage = read(env)
        os.chdir(stage.directory)
        path = binary.find_binary(stage.env, "tfevents", stage.env.get("TFEVENTS_PROVISIONER"))
        return _run(stage, path)
    except TfeventsError as error:
        print_line(str(error))
        return error.exit_code


def _run(stage: Stage, path: str) -> int:
    if stage.command == "stage-complete":
        return _announce(stage, ManualEvent("stage-complete"))
    code, interrupted = _init(stage, path)
    if code:
        return _unready(_hurried(stage) if interrupted else stage, code)
    words = (*COMMANDS[stage.command], *stage.arguments)
    reported = report(words, stage.env, path, stage=True)
    code = reported.exit_code
    _pass_on(stage.env, reported.event or {"data": {"exit_code": str(_status(code))}})
    if stage.command == "detect-drift" and code in (0, DRIFTED):  # -detailed-exitcode may say 2
        return DRIFTED if reported.event.get("event_type") == "drifted" else 0
    return process.end_as(code)


def _unready(stage: Stage, code: int) -> int:
    """`init` failed, and with it what could not be run; the stage has ended all the same."""
    code = _status(code)
    about = {"activity_type": _activity(stage), "activity_status": "failure"}
    data = {"exit_code": str(code), "phase": "init"}
    _announce(stage, ManualEvent("failed", about, data))
    _pass_on(stage.env, {"event_type": "failed", "metadata": about, "data": data})
    _announce(stage, ManualEvent("stage-complete"))
    return code


def _activity(stage: Stage) -> str:
    words = COMMANDS[stage.command]
    mode = Mode.REFRESH_ONLY if "-refresh-only" in words else Mode.NORMAL
    return activity_type(Operation(words[0]), mode)


def _pass_on(env: Mapping[str, str], body: Mapping[str, Any]) -> None:
    """To the steps after this one."""
    for write in (write_outputs, annotate):
        try:
            write(env, body)
        except OSError as error:
            problem = f"{error.filename or 'the outputs'}: {error.strerror}"
            print_line(f"a later step is not told: {problem}")


def _announce(stage: Stage, what: ManualEvent) -> int:
    told = send_manual_event(what, stage.directory, stage.env, {})
    print_line(told.line)
    return UNDELIVERED if told.strict and not told.delivered else 0


def _hurried(stage: Stage) -> Stage:
    """Somebody wants us to end: what can't be sent in a moment is kept."""
    return replace(stage, env={**stage.env, "TFEVENTS_TIMEOUT": str(INTERRUPTED_SECONDS)})


def _init(stage: Stage, path: str) -> tuple[int, bool]:
    """`init` where the directory needs it; its code, and whether somebody wanted it to end.

    `auto` asks whether terraform would refuse without.
    """
    place = WorkingDirectory(stage.directory, stage.env)
    if stage.init == "never" or (stage.init == "auto" and not _needs_init(place, stage, path)):
        return 0, False
    with SignalForwarder() as signals:
        signals.start(partial(process.start, path, ("init", "-input=false"), stage.env))
        return signals.wait(), signals.interrupted


def _needs_init(place: WorkingDirectory, stage: Stage, path: str) -> bool:
    """`validate` refuses without modules and providers; a backend is none of its business."""
    if not place.has_backend and inventory.find(stage.directory).backend:
        return True
    return TerraformClient(path, (), stage.env).run(["validate", "-no-color"], 60.0) is None
