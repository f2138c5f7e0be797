"""Draws from a seed what one episode does."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass
from enum import Enum

from support.step import (
    DROP_UNREAD,
    DROP_UNREAD_BODY,
    HANG,
    NORMAL,
    RECORDED_BUT_CUT_OFF,
    Step,
    answer,
)

WAVES = 6
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
LINES = 6
"""How many lines the stand-in engine prints."""
LONGEST = 0.7
"""Seconds after which most runs that are not killed have ended."""
ROOMS = (0, 4096, 16_384, 100_000)
TIMES = ("1970-01-01T00:00:01.000Z", "2026-01-01T00:00:00.000Z", "2031-01-01T00:00:00.000Z")
CERTAIN = (NORMAL, answer(503), answer(429, retry_after=1), DROP_UNREAD, DROP_UNREAD_BODY)
"""After these steps a client knows whether its event was recorded."""
UNCERTAIN = (NORMAL.but(delay=0.3), NORMAL.but(delay=3.0), RECORDED_BUT_CUT_OFF, HANG)


class Trouble(str, Enum):
    """What goes wrong besides the kills."""

    NONE = "none"
    FULL = "full disk"
    CLOCK = "clock jump"


class Kind(str, Enum):
    """Which kind of process is killed."""

    WRAPPER = "wrapper"
    SENDER = "sender"
    FLUSH = "flush"
    HOOK = "hook"


class Moment(str, Enum):
    """What a kill waits for: some seconds, a line of the stand-in engine, or a request at the
    endpoint."""

    CLOCK = "clock"
    LINE = "line"
    REQUEST = "request"


@dataclass(frozen=True)
class Victim:
    """A victim is one process that is started and killed. `group`: the signal goes to its process
    group, as with Ctrl-C.

    `has_key`: it has an API key and may send; `graceful`: terraform ends by itself after a signal;
    `exit_code`: terraform's, if nothing stops it.
    """

    kind: Kind
    number: int
    command: str
    workspace: str
    signal: signal.Signals
    group: bool
    moment: Moment
    seconds: float
    line: int
    has_key: bool
    graceful: bool
    exit_code: int

    @property
    def directory(self) -> str:
        """The name of its own project directory."""
        return f"{self.kind.value}{self.number}"

    @property
    def api_key(self) -> str:
        """Its own API key, by which a request shows its sender."""
        return f"pat.acct.{self.directory}.secret"


@dataclass(frozen=True)
class Wave:
    """Victims that run at the same time, and the endpoint's steps meanwhile. `trouble_at`,
    `copy_at`: seconds until the trouble begins and until a copy of the journal is taken."""

    victims: tuple[Victim, ...]
    steps: tuple[Step, ...]
    trouble_at: float
    copy_at: float


@dataclass(frozen=True)
class Plan:
    """What one episode does. `room`: bytes that are left on a full disk; `time`: what the clock
    said before it jumped, as the journal then has it."""

    seed: int
    trouble: Trouble
    waves: tuple[Wave, ...]
    room: int
    time: str


def draw_plan(seed: int) -> Plan:
    """Draws the waves of an episode, each of one process or of eight at once."""
    draw = random.Random(seed)
    trouble = draw.choice(list(Trouble))
    waves: list[Wave] = []
    for _ in range(WAVES):
        first = sum(len(wave.victims) for wave in waves)
        together = draw.choice((1, 8))
        victims = tuple(
            _draw_victim(draw, first + number, number if trouble is Trouble.FULL else None)
            for number in range(together)
        )
        steps = _draw_steps(draw, together)
        waves.append(Wave(victims, steps, draw.uniform(0.0, LONGEST), draw.uniform(0.0, LONGEST)))
    return Plan(seed, trouble, tuple(waves), draw.choice(ROOMS), draw.choice(TIMES))


def _draw_victim(draw: random.Random, number: int, lane: int | None) -> Victim:
    """Draws one process. `lane`: the number of its workspace, if those that run at the same time
    must share none, so that events in two journals have a defined order; else None."""
    kind = draw.choices(list(Kind), weights=(4, 2, 2, 2))[0]
    moments = {Kind.WRAPPER: list(Moment), Kind.SENDER: [Moment.CLOCK, Moment.REQUEST]}
    has_key = kind is Kind.SENDER or draw.random() < 0.6
    moment = draw.choice(moments.get(kind, [Moment.CLOCK]))
    shared = draw.choice(("one", "two")) if has_key else "quiet"
    return Victim(
        kind=kind,
        number=number,
        command=draw.choice(("apply", "apply", "destroy", "refresh")),
        workspace=shared if lane is None else f"{'loud' if has_key else 'quiet'}{lane}",
        signal=draw.choice(SIGNALS),
        group=kind is not Kind.SENDER and draw.random() < 0.3,
        moment=moment if has_key or moment is not Moment.REQUEST else Moment.CLOCK,
        seconds=draw.uniform(0.0, LONGEST),
        line=draw.randrange(LINES),
        has_key=has_key,
        graceful=draw.random() < 0.5,
        exit_code=draw.choice((0, 0, 1)),
    )


def _draw_steps(draw: random.Random, together: int) -> tuple[Step, ...]:
    """Draws the endpoint's steps, most of them normal."""
    steps = (NORMAL,) * 6 + CERTAIN + UNCERTAIN
    return tuple(draw.choice(steps) for _ in range(2 * together))
