"""Which place a field is taken from: the strongest that has it, and which that was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tfevents.errors import SettingError
from tfevents.settings.environment import FALSE, HARNESS_NAMES, PREFIX, TRUE
from tfevents.settings.file_format import Field
from tfevents.settings.files import File, Values

LAST = 99
"""The level of a default: below all places."""


class FieldSources:
    """One field after the other, remembering where each came from."""

    def __init__(
        self, env: Mapping[str, str], flags: Mapping[str, str | None], files: Values
    ) -> None:
        self._env, self._flags, self._files = env, flags, files
        self.sources: dict[str, str] = {}
        self.levels: dict[str, int] = {}
        self._from: dict[str, File] = {}

    def text(self, name: str, default: str = "") -> str:
        """A field's text; an empty one is not set."""
        for level, places in enumerate(self._levels(name)):
            for source, value in places:
                if value and value.strip():
                    self.sources[name], self.levels[name] = source, level
                    return value.strip()
        self.sources[name], self.levels[name] = "default", LAST
        return default

    def file(self, name: str) -> File | None:
        """The settings file that a field stands in; None for any other place."""
        return self._from.get(name)

    def unused(self, name: str) -> Field | None:
        """Where a checkout's file has a field that is not its to say."""
        return self._files.unused(name)

    def _levels(self, name: str) -> Iterator[list[tuple[str, str | None]]]:
        """The places of a field, the strongest first."""
        upper = name.upper()
        yield [("--" + name.replace("_", "-"), self._flags.get(name))]
        yield self._variables(PREFIX + upper)
        yield self._variables(*HARNESS_NAMES.get(name, ()))
        for file in self._files.files:
            if given := file.fields.get(name):
                self._from[name] = file
                yield [(given.place, given.text)]
            else:
                yield []

    def _variables(self, *names: str) -> list[tuple[str, str | None]]:
        return [(name, self._env.get(name)) for name in names]

    def on(self, name: str) -> bool:
        """A switch. Raises SettingError for a word that is neither on nor off."""
        word = self.text(name).lower()
        if word not in TRUE + FALSE:
            raise self.error(name, f"{word[:20]!r} is neither on nor off: use 1 or 0")
        return word in TRUE

    def error(self, name: str, what: str) -> SettingError:
        """`name` is wrong: says where it was set."""
        return SettingError(f"{self.sources[name]}: {what}")
