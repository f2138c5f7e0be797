"""What one episode does, drawn from its seed."""

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
"""That the stand-in writes."""
LONGEST = 0.7
"""Seconds after which a run that nobody kills has mostly ended."""
ROOMS = (0, 4096, 16_384, 100_000)
TIMES = ("1970-01-01T00:00:01.000Z", "2026-01-01T00:00:00.000Z", "2031-01-01T00:00:00.000Z")
CERTAIN = (NORMAL, answer(503), answer(429, retry_after=1), DROP_UNREAD, DROP_UNREAD_BODY)
"""After these a client knows whether its event was recorded."""
UNCERTAIN = (NORMAL.but(delay=0.3), NORMAL.but(delay=3.0), RECORDED_BUT_CUT_OFF, HANG)


class Trouble(str, Enum):
    """What goes wrong beside the kills."""

    NONE = "none"
    FULL = "full disk"
    CLOCK = "clock jump"


class Kind(str, Enum):
    """Who is killed."""

    WRAPPER = "wrapper"
    SENDER = "sender"
    FLUSH = "flush"
    HOOK = "hook"


class Moment(str, Enum):
    """What a kill waits for: some seconds, a line of the stand-in, a request at the endpoint."""

    CLOCK = "clock"
    LINE = "line"
    REQUEST = "request"


@dataclass(frozen=True)
class Victim:
    """One process and its end. `group`: the signal goes to all that it has started, as Ctrl-C does.

    `has_key`: it may send; `graceful`: terraform ends by itself after a signal; `exit_code`:
    terraform's, where nothing stops it.
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
        """Its own one."""
        return f"{self.kind.value}{self.number}"

    @property
    def api_key(self) -> str:
        """Its own one, too: a request says by it who sent it."""
        return f"pat.acct.{self.directory}.secret"


@dataclass(frozen=True)
class Wave:
    """What runs at the same time, how the endpoint answers meanwhile, and when, in seconds, its
    trouble comes and a copy of the journal is taken."""

    victims: tuple[Victim, ...]
    steps: tuple[Step, ...]
    trouble_at: float
    copy_at: float


@dataclass(frozen=True)
class Plan:
    """One episode. `room`: bytes that a full disk has left; `time`: what a clock says after it has
    jumped."""

    seed: int
    trouble: Trouble
    waves: tuple[Wave, ...]
    room: int
    time: str


def draw_plan(seed: int) -> Plan:
    """The waves of an episode: one process alone, or eight at once."""
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
    """`lane`: of which workspace it is where those that run at the same time share none: then what
    is kept in two journals has an order all the same."""
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
    """Mostly well."""
    steps = (NORMAL,) * 6 + CERTAIN + UNCERTAIN
    return tuple(draw.choice(steps) for _ in range(2 * together))
