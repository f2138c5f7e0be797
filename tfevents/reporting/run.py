"""Holds what is known of one wrapped run when terraform starts, and how terraform ended.

Plain classes, which need no import that takes time: they are made before terraform starts.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tfevents.errors import SettingError
    from tfevents.journal.run_lock import RunLock
    from tfevents.terraform.arguments import Arguments
    from tfevents.terraform.state import Identity
    from tfevents.terraform.workdir import FileIdentity


class Run:
    """One run of a provisioner in our terminal."""

    def __init__(
        self,
        arguments: Arguments,
        binary: str,
        env: Mapping[str, str],
        lock: RunLock,
        *,
        stage: bool = False,
    ) -> None:
        self.arguments = arguments
        self.binary = binary
        self.env = env
        self.lock = lock
        self.stage = stage
        """Whether the end of the run is the end of a pipeline stage."""
        self.directory = _absolute(arguments.chdir)
        self.opened_epoch = time.time()
        """When the run began, in seconds since the epoch."""
        self.opened_monotonic = time.monotonic()
        """The same in monotonic time."""
        self.plan_file: str | None = None
        """The file that `plan` writes its plan to; None if it writes none."""
        self.older_plan: FileIdentity | None = None
        """Identity of `plan_file` before terraform started; None if there was no such file."""
        self.core_log: str | None = None
        """The private file for terraform's core log; None if terraform writes none for us."""
        self.identity_before: Identity | None = None
        """Serial and lineage of the state when the run began, if it is a local file; only read for
        an apply or destroy without core log."""

    @property
    def opened_at(self) -> str:
        """When the run began, in UTC, in the format of events."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.opened_epoch))

    @property
    def saved_plan(self) -> str | None:
        """Path of the saved plan that is applied; None if the run plans by itself."""
        saved = self.arguments.plan_file
        return self.locate(saved) if saved else None

    @property
    def needs_no_approval(self) -> bool:
        """Whether terraform does not ask for approval."""
        arguments = self.arguments
        planless = arguments.command in ("refresh", "import")
        return planless or bool(arguments.plan_file) or arguments.on("auto-approve")

    def overhead(self, result: RunResult) -> int:
        """Milliseconds since the run began, without those during which terraform ran."""
        return round((time.monotonic() - self.opened_monotonic - result.seconds) * 1000)

    def locate(self, path: str) -> str:
        """The path of a file named on terraform's command line, which is relative to `-chdir`."""
        return os.path.join(self.directory, path)


class RunResult(NamedTuple):
    """How terraform ended. `exit_code`: negative for the signal terraform died of.

    `seconds`: how long terraform ran. `wrote_plan`: whether it wrote the plan file. `signals`:
    those that we got meanwhile. `started`: False if a signal came before terraform was started.
    """

    exit_code: int
    seconds: float = 0.0
    wrote_plan: bool = False
    signals: tuple[int, ...] = ()
    started: bool = True


def has_succeeded(arguments: Arguments, exit_code: int, signals: Sequence[int]) -> bool:
    """Whether a run succeeded, by its exit code. 2 means changes for `plan -detailed-exitcode`
    only: otherwise, and after SIGQUIT, Go's runtime ends a process that crashed with it."""
    detailed = arguments.command == "plan" and arguments.on("detailed-exitcode")
    return exit_code == 0 or (exit_code == 2 and detailed and signal.SIGQUIT not in signals)


def _absolute(directory: str) -> str:
    try:
        return os.path.abspath(directory)
    except OSError:  # the working directory was deleted: terraform will report that
        return directory


class RunInfo(NamedTuple):
    """The run that is reported: where it runs, what it is to do, and the lock of its process."""

    lock: RunLock
    operation: str
    mode: str
    directory: str
    tf_workspace: str
    opened_at: str
    env: Mapping[str, str]
    key: str | None = None
    command: str | None = None
    identity: str | None = None
    """The run's id if it is not the lock's: a hook's run outlives the process with the lock."""
    opened: bool = False
    """Whether the run is in the journal already: a hook's `before` opened it."""
    base: Mapping[str, Any] = {}
    plan_file: str | None = None
    """Path of the saved plan that is applied."""
    stage: bool = False
    """Whether the end of the run is the end of a pipeline stage."""
    overrides: Mapping[str, Any] = {}
    """Metadata fields that environment variables set (TFEVENTS_METADATA_*)."""
    wrong: Sequence[SettingError] = ()
    """An error for each of these variables that can't be used."""

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"RunInfo({self.run_id!r}, {self.operation!r}, {self.directory!r})"

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.identity or self.lock.identity
