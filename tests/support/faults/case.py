"""A case of the table, and how one is played."""

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
"""Makes something wrong, for as long as the context lasts."""


@dataclass(frozen=True)
class Case:
    """`arrives`: whether events are delivered at once (None: either). `events`: those that there
    are in the end. Its `arrange` calls pytest.skip where this machine can't have it."""

    group: str
    name: str
    arrange: Arrange
    arrives: bool | None
    events: Sequence[str] = EVENTS

    def play(self) -> list[str]:
        """What is wrong."""
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
