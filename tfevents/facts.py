"""What was found out about one run: its plan, its state, its provisioner; each one optional."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tfevents import planfile, planjson, state
from tfevents.engine import Engine
from tfevents.errors import UnreadableDocument
from tfevents.plan import Mode, Plan
from tfevents.state import State


@dataclass(frozen=True)
class Planned:
    """A plan and the prior state it was made on, where the file has it."""

    plan: Plan
    prior: State | None = None
    tool: str | None = None


def read_plan(engine: Engine, path: str, mode: Mode | None = None) -> Planned | None:
    """A saved plan: from the file itself where that is proven, else by `show -json`.

    `path` as we see it. None where neither can be had.
    """
    try:
        found = planfile.read(path)
    except UnreadableDocument:
        return _show_plan(engine, path, mode)
    return Planned(found.plan, _prior(found.prior()), found.tool)


def _show_plan(engine: Engine, path: str, mode: Mode | None) -> Planned | None:
    shown = engine.show(os.path.abspath(path))
    return Planned(planjson.parse(shown, mode)) if shown else None


def _prior(data: bytes) -> State | None:
    try:
        return state.parse_file(data)
    except UnreadableDocument:
        return None


def pull_state(engine: Engine) -> State | None:
    """The state as stored; an empty answer is a state that was never written. None: not known."""
    answer = engine.pull()
    if answer is None:
        return None
    return state.parse_file(answer) if answer.strip() else State()
