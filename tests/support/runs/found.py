"""The findings of one turn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from support.runs.script import Turn


@dataclass
class Found:
    """The findings of one turn: the turn as it was taken, what was wrong, which counts are absent
    although they could be reported, and how many values of each sort were right."""

    turn: Turn
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    right: Counter[str] = field(default_factory=Counter)
    kind: str = ""
