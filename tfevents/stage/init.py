"""Runs `terraform init` before a stage's command, if the stage asks for it or needs it."""

from __future__ import annotations

import signal
from functools import partial

from tfevents.readers.hcl import inventory
from tfevents.stage.settings import Stage
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.workdir import WorkingDirectory
from tfevents.wrapper import process
from tfevents.wrapper.signals import FORWARDED, Interrupted, SignalForwarder, set_default_handlers


def run_init(stage: Stage, path: str) -> tuple[int, bool]:
    """Runs `init` if the stage asks for it; gives its exit code, and whether a signal was received.

    With `auto`, `init` is run if terraform would refuse to work without it. After a signal the exit
    code is never 0, even if `init` succeeded: the stage was cancelled. A signal that comes later,
    before the run handles signals, ends this process.
    """
    workdir = WorkingDirectory(stage.directory, stage.env)
    if stage.init == "never" or (stage.init == "auto" and not _needs_init(workdir, stage, path)):
        return 0, False
    code, number = _run_until_signal(stage, path)
    return (code or -number, True) if number else (code, False)


def _run_until_signal(stage: Stage, path: str) -> tuple[int, int]:
    """The exit code of `init`, and the first signal that was received, 0 if none."""
    with SignalForwarder() as signals:
        try:
            signals.start(partial(process.start, path, ("init", "-input=false"), stage.env))
            code = signals.wait()
        except Interrupted as interruption:  # before `init` was started
            code = -interruption.number
        # the forwarder's last handlers ignore signals: blocked, a signal waits for the default ones
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    if not signals.received:  # else a further signal must not keep the failure from being reported
        set_default_handlers()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return code, signals.received[0] if signals.received else 0


def _needs_init(workdir: WorkingDirectory, stage: Stage, path: str) -> bool:
    """Whether terraform would refuse to work without `init`: `validate` fails if modules or
    providers are missing, but not for a missing backend, which is checked first."""
    if not workdir.has_backend and inventory.find_backend(stage.directory):
        return True
    return TerraformClient(path, (), stage.env).run(["validate", "-no-color"], 60.0) is None
