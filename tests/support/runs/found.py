"""What was found of one turn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from support.runs.script import Turn


@dataclass
class Found:
    """The turn as it was taken, what was wrong, what could have been told and was not, and how
    much of each sort was right."""

    turn: Turn
    wrong: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    right: Counter[str] = field(default_factory=Counter)
    kind: str = ""
