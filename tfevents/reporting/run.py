"""One wrapped run: what is known of it when terraform starts, and what was seen of its end.

Plain classes: they are made before terraform starts.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tfevents.errors import SettingError
    from tfevents.journal.run_lock import RunLock
    from tfevents.terraform.arguments import Arguments
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
        """Whether a pipeline's stage ends with it."""
        self.directory = _absolute(arguments.chdir)
        self.opened = time.time()
        """Seconds since the epoch, and since some point in time."""
        self.began = time.monotonic()
        self.plan_file: str | None = None
        """Where `plan` is to write its plan; None where nobody asks it to."""
        self.older_plan: FileIdentity | None = None
        """Of the file that lies there before."""
        self.core_log: str | None = None
        """The private file that an apply's core log goes to; None where it is given none."""
        self.state_before: tuple[int | None, str | None] | None = None
        """Serial and lineage of the state where it is a local file, when the run began; only where
        there is no core log."""

    @property
    def opened_at(self) -> str:
        """When it began, as an event says it."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.opened))

    @property
    def saved_plan(self) -> str | None:
        """Where the plan lies that is applied; None where the run plans by itself."""
        saved = self.arguments.plan_file
        return self.locate(saved) if saved else None

    @property
    def unasked(self) -> bool:
        """Whether nobody is asked for approval."""
        arguments = self.arguments
        planless = arguments.command in ("refresh", "import")
        return planless or bool(arguments.plan_file) or arguments.on("auto-approve")

    def overhead(self, result: RunResult) -> int:
        """Milliseconds since it began in which terraform did not work."""
        return round((time.monotonic() - self.began - result.seconds) * 1000)

    def locate(self, path: str) -> str:
        """A path as terraform understands it, relative to `-chdir`."""
        return os.path.join(self.directory, path)


class RunResult(NamedTuple):
    """How terraform ended, after so many seconds. `exit_code`: negative for the signal it died of.

    `started`: whether there was a process at all: a signal may have come before.
    """

    exit_code: int
    seconds: float = 0.0
    wrote_plan: bool = False
    signals: tuple[int, ...] = ()
    started: bool = True


def _absolute(directory: str) -> str:
    try:
        return os.path.abspath(directory)
    except OSError:  # it is gone, which terraform says in its own words
        return directory


class RunInfo(NamedTuple):
    """Which run is reported: where it runs, what it sets out to do, and what proves it lives."""

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
    """The run's id where it is not its lock's: a hook's run outlives the process."""
    opened: bool = False
    """Whether the journal knows the run already: a hook's `before` opened it."""
    base: Mapping[str, Any] = {}
    plan_file: str | None = None
    """The saved plan that is applied."""
    stage: bool = False
    """Whether a pipeline's stage ends with it."""
    overrides: Mapping[str, Any] = {}
    """Metadata that variables set (TFEVENTS_METADATA_*); `wrong`: those that can't be used."""
    wrong: Sequence[SettingError] = ()

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"RunInfo({self.run_id!r}, {self.operation!r}, {self.directory!r})"

    @property
    def run_id(self) -> str:
        """What the run is called."""
        return self.identity or self.lock.identity
