"""The state that a run starts from, as the run before left it (terraform's PrevRunState).

A state from before the run's lock would ascribe another run's work to this one: it is only taken
where the run's own log proves that it is the one that terraform read, or that nothing was applied
yet when it had been pulled.
"""

from __future__ import annotations

from tfevents.background import BackgroundTask
from tfevents.terraform.apply_log import ApplyLog
from tfevents.terraform.client import TerraformClient
from tfevents.terraform.state import NEVER_WRITTEN, Identity
from tfevents.terraform.workdir import WorkingDirectory


class PreviousState:
    """`look` is called after each look at the log, and never again when the run is over."""

    def __init__(self, place: WorkingDirectory, engine: TerraformClient) -> None:
        self._place, self._engine = place, engine
        self._looked = self._pulled = self._proven = False
        self._stored: bytes | None = None
        self._pulling: BackgroundTask[bytes] | None = None

    def look(self, log: ApplyLog) -> None:
        """A local backend's file at once; only a remote one's is asked for."""
        if not (log.planning or log.applied):
            return
        if not self._looked:
            self._looked = True
            if log.snapshot is not None:
                self._stored = self._find_stored(log.snapshot)
            elif not log.applied:
                self._pulling = BackgroundTask(self._engine.pull_state, "state before")
        # what was pulled by the last look had no apply behind it if there is none yet
        self._proven = self._proven or (self._pulled and not log.applied)
        self._pulled = self._pulling is not None and self._pulling.over

    def find(self, log: ApplyLog) -> bytes | None:
        """A state file, b"" of a state that was never written; None where it is not known."""
        if self._stored is not None:
            return self._stored
        if log.snapshot is not None:
            return self._find_stored(log.snapshot)
        return self._pulling.result() if self._pulling and self._proven else None

    def _find_stored(self, identity: Identity) -> bytes | None:
        return b"" if identity == NEVER_WRITTEN else self._place.find_state(identity)
