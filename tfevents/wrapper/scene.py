"""What every story of a run needs: what was asked, where, of whom, and who is listening."""

from __future__ import annotations

import os
import time

from tfevents.background import Gate, Later
from tfevents.journal.run_lock import Presence
from tfevents.lean import suppress
from tfevents.record import dataclass, field
from tfevents.terraform import binary
from tfevents.terraform.arguments import Invocation
from tfevents.wrapper.signals import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from tfevents.events.table import Operation
    from tfevents.reporting.fact_collector import Backstage

    T = TypeVar("T")


@dataclass(frozen=True)
class Ended:
    """What was seen of a run: its end, and where its facts are.

    `plan_file`: the plan that it wrote. `reading`: the saved plan that it applied. `log`: its core
    log; None where it was given none. `approved`: True where nobody was to be asked. `before`: the
    state when it began.
    """

    exit_code: int
    plan_file: str | None = None
    reading: Later | None = None  # type: ignore[type-arg]  # of facts.Planned, which is backstage
    before: Later | None = None  # type: ignore[type-arg]  # of state.State, likewise
    log: Later | None = None  # type: ignore[type-arg]  # of corelog.CoreLog, likewise
    approved: bool | None = None
    started: bool = True
    """Whether there was a child at all: a signal may have come before."""


@dataclass
class Scene:
    """One run, from the command line to its end. `ours`: seconds that nobody else worked in."""

    invocation: Invocation
    path: str
    directory: str
    presence: Presence
    watch: Watch
    opened: int
    """Seconds since the epoch; `opened_at` says it as an event does."""
    opened_at: str
    env: Mapping[str, str] = field(repr=False)
    wake: Callable[[Scene], Backstage]
    """Imports and makes the backstage: it is above us, and slow to wake."""
    stage: bool = False
    """Whether a pipeline's stage ends with it."""
    began: float = field(default_factory=time.monotonic)
    theirs: float = 0.0
    _backstage: Later[Backstage] | None = None
    _works: Gate = field(default_factory=Gate)

    def run(self, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> int:
        """Terraform in our terminal; its exit code, negative for the signal it died of.

        The moment it works, what is slow to wake is woken behind the stage. Raises Interrupted
        where a signal came first.
        """

        def start() -> int:
            return binary.start(self.path, arguments, env or self.env)

        try:
            return self.timed(lambda: self.watch.run(start, self.prepare))
        finally:
            self._works.open()

    def prepare(self) -> None:
        """Wakes the backstage, once."""
        import threading  # noqa: F401  # takes whoever wakes it for the main thread

        if self._backstage is None:
            self._backstage = Later(lambda: self.wake(self), "backstage")
        self._works.open()

    @property
    def backstage(self) -> Backstage:
        """Everything that finds facts and reports; waits until it is awake.

        Raises RuntimeError where it can't be had: the run goes on without.
        """
        self.prepare()
        found = self._backstage.result() if self._backstage else None
        if found is None:
            raise RuntimeError("the report could not be prepared")
        return found

    def at_once(self, find: Callable[[Backstage], T]) -> T | None:
        """A fact that has to be looked for before the run goes on; None where it can't."""
        with suppress(RuntimeError):
            return find(self.backstage)
        return None

    def beside(self, find: Callable[[Backstage], Later[T] | None]) -> Later[T]:
        """A fact that is looked for as soon as terraform works; the run never waits for it."""

        def found() -> T | None:
            self._works.wait()
            later = find(self.backstage)
            return later.result() if later else None

        return Later(found, "beside")

    def timed(self, work: Callable[[], T]) -> T:
        """`work`'s result; its time is not ours."""
        since = time.monotonic()
        try:
            return work()
        finally:
            self.theirs += time.monotonic() - since

    @property
    def overhead(self) -> int:
        """Milliseconds that are ours."""
        return round((time.monotonic() - self.began - self.theirs) * 1000)

    @property
    def operation(self) -> Operation:
        """What was asked; a saved plan may say otherwise."""
        from tfevents.events.table import operation_of

        return operation_of(self.invocation.command, self.invocation.mode)

    @property
    def saved_plan(self) -> str | None:
        """Where the plan lies that is applied; None where the run plans by itself."""
        saved = self.invocation.plan_file
        return self.seen(saved) if saved else None

    def seen(self, path: str) -> str:
        """A path as terraform understands it, relative to `-chdir`."""
        return os.path.join(self.directory, path)
