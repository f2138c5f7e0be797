"""A case of the table of faults, and how it is played."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from support.endpoint import Endpoint
from support.faults.judge import judge, read_events
from support.faults.scene import EVENTS, Scene

Arrange = Callable[[Scene], AbstractContextManager[None]]
"""Causes a fault for as long as the context lasts."""


@dataclass(frozen=True)
class Case:
    """A fault and what must follow. `arrives`: whether events are delivered while it lasts (None:
    either). `events`: the event types that exist in the end. `arrange` calls pytest.skip if this
    machine can't have the fault."""

    group: str
    name: str
    arrange: Arrange
    arrives: bool | None
    events: Sequence[str] = EVENTS

    def play(self) -> list[str]:
        """Plays the case; returns what is wrong, a line each."""
        with tempfile.TemporaryDirectory(prefix="tfevents-faults-") as place:
            return list(self._play(Path(place)))

    def _play(self, place: Path) -> Iterator[str]:
        with Endpoint() as healthy:
            scene = Scene(place, healthy)
            with scene.lasting:
                yield from self._judge(scene)

    def _judge(self, scene: Scene) -> Iterator[str]:
        with self.arrange(scene):
            scene.play()
        at_once = all(event.status == "delivered" for event in read_events(scene))
        if self.arrives not in (None, at_once):
            yield f"events were delivered at once: {at_once}"
        scene.deliver()
        yield from judge(scene, self.events)
