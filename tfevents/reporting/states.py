"""Finds the states before and after a run; each of them is an optional fact."""

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
"""The file in which terraform leaves a state that it could not store."""


def pull_state(client: TerraformClient) -> State | None:
    """The stored state; an empty State if none was ever written, None if it is not known.

    Raises UnreadableDocument.
    """
    return read_state(client.pull_state())


def read_state(answer: bytes | None) -> State | None:
    """The state in the output of `state pull`; None without output. Raises UnreadableDocument."""
    if answer is None:
        return None
    return parse_state_file(answer) if answer.strip() else State()


def left_unsaved(directory: str, since: float) -> bool:
    """Whether terraform has left errored.tfstate in the directory after `since` (seconds since the
    epoch): the stored state is outdated then."""
    try:
        return os.stat(os.path.join(directory, ERRORED)).st_mtime >= since
    except OSError:
        return False


class PreviousState:
    """The state that a run with a core log starts from, as the previous run left it (PrevRunState).

    A state from before terraform locked it could attribute another run's changes to this run. So a
    state is only used if the run's core log proves that terraform read that state, or that nothing
    was applied yet when it had been pulled. `update` is called after each read of the log, and not
    after the run is over.
    """

    def __init__(self, workdir: WorkingDirectory, client: TerraformClient) -> None:
        self._workdir, self._client = workdir, client
        self._looked = self._pulled = False
        self._pulling: BackgroundTask[bytes] | None = None
        self._state: BackgroundTask[State] | None = None

    def update(self, log: ApplyLog) -> None:
        """Reads the state of a local backend from its file at once; pulls any other state in the
        background."""
        if not (log.planning or log.applied):
            return
        if not self._looked:
            self._looked = True
            if log.snapshot is not None:
                self._parse(self._find_stored(log.snapshot))
            elif not log.applied:
                self._pulling = BackgroundTask(self._client.pull_state, "state before")
        # if nothing is applied yet, the pull, which had ended at the last update, was early enough
        if self._pulling and self._pulled and not log.applied and self._state is None:
            self._parse(self._pulling.result())
        self._pulled = self._pulling is not None and self._pulling.has_ended

    def find_state(self, log: ApplyLog) -> State | None:
        """The state before the run; None if it is not known. Waits until it is parsed."""
        if self._state is None and log.snapshot is not None:
            self._parse(self._find_stored(log.snapshot))
        return self._state.result() if self._state else None

    def _parse(self, stored: bytes | None) -> None:
        """Parses the state in the background: a large one takes a second."""
        if stored is not None:
            self._state = BackgroundTask(partial(read_state, stored), "state before")

    def _find_stored(self, identity: Identity) -> bytes | None:
        """The content of the local file with that state; b"" for a state that was never written,
        None if there is no such file."""
        return b"" if identity == NEVER_WRITTEN else self._workdir.find_state(identity)
