"""The states before and after a run; each one optional."""

from __future__ import annotations

import os
from functools import partial

from tfevents.background import BackgroundTask
from tfevents.readers.json.state import parse_state_file
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.state import NEVER_WRITTEN, Identity, State
from tfevents.terraform.workdir import WorkingDirectory

ERRORED = "errored.tfstate"
"""Where terraform puts a state that it could not store."""


def pull_state(client: TerraformClient) -> State | None:
    """The state as stored; an empty answer is a state that was never written. None: not known."""
    return read_state(client.pull_state())


def read_state(answer: bytes | None) -> State | None:
    """The state in what a pull answered; None where there is no answer."""
    if answer is None:
        return None
    return parse_state_file(answer) if answer.strip() else State()


def left_unsaved(directory: str, since: float) -> bool:
    """Whether terraform had to leave a state beside the stored one, which is old then."""
    try:
        return os.stat(os.path.join(directory, ERRORED)).st_mtime >= since
    except OSError:
        return False


class PreviousState:
    """The state that a watched run starts from, as the run before left it (PrevRunState).

    A state from before the run's lock would ascribe another run's work to this one: it is only
    taken where the run's own log proves that it is the one that terraform read, or that nothing was
    applied yet when it had been pulled. `update` is called after each look at the log, and never
    again when the run is over.
    """

    def __init__(self, workdir: WorkingDirectory, client: TerraformClient) -> None:
        self._workdir, self._client = workdir, client
        self._looked = self._pulled = False
        self._pulling: BackgroundTask[bytes] | None = None
        self._state: BackgroundTask[State] | None = None

    def update(self, log: ApplyLog) -> None:
        """Reads a local backend's file at once; only a remote one's state is asked for."""
        if not (log.planning or log.applied):
            return
        if not self._looked:
            self._looked = True
            if log.snapshot is not None:
                self._parse(self._find_stored(log.snapshot))
            elif not log.applied:
                self._pulling = BackgroundTask(self._client.pull_state, "state before")
        # what was pulled by the last look had no apply behind it if there is none yet
        if self._pulling and self._pulled and not log.applied and self._state is None:
            self._parse(self._pulling.result())
        self._pulled = self._pulling is not None and self._pulling.over

    def find_state(self, log: ApplyLog) -> State | None:
        """The state; None where it is not known."""
        if self._state is None and log.snapshot is not None:
            self._parse(self._find_stored(log.snapshot))
        return self._state.result() if self._state else None

    def _parse(self, stored: bytes | None) -> None:
        """Beside the run: a large state takes a second."""
        if stored is not None:
            self._state = BackgroundTask(partial(read_state, stored), "state before")

    def _find_stored(self, identity: Identity) -> bytes | None:
        """The file of that state; b"" of one that was never written."""
        return b"" if identity == NEVER_WRITTEN else self._workdir.find_state(identity)
