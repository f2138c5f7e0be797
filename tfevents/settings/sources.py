"""Finds the strongest source that has a field, and records which source that was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tfevents.errors import SettingError
from tfevents.settings.environment import ALLOW_HTTP, FALSE, HARNESS_NAMES, PREFIX, TRUE
from tfevents.settings.file_format import Field
from tfevents.settings.files import File, Values

LAST = 99
"""The level of a default, which is weaker than all sources."""


def parse_switch(text: str, source: str) -> bool:
    """Whether a text means on; an empty one means off. `source`: where it was set, for messages.

    Raises SettingError if it means neither on nor off.
    """
    word = text.strip().lower()
    if word not in TRUE + FALSE:
        raise SettingError(f"{source}: {word[:20]!r} is neither on nor off: use 1 or 0")
    return word in TRUE


def allows_http(env: Mapping[str, str]) -> bool:
    """Whether TFEVENTS_ALLOW_HTTP is on. Raises SettingError if it is neither on nor off."""
    return parse_switch(env.get(ALLOW_HTTP, ""), ALLOW_HTTP)


class FieldSources:
    """Looks fields up, one after the other.

    `sources`: where each field was found. `levels`: how strong that source is, 0 for the strongest.
    """

    def __init__(
        self, env: Mapping[str, str], flags: Mapping[str, str | None], files: Values
    ) -> None:
        self._env, self._flags, self._files = env, flags, files
        self.sources: dict[str, str] = {}
        self.levels: dict[str, int] = {}
        self._from: dict[str, File] = {}

    def text(self, name: str, default: str = "") -> str:
        """The text of a field from its strongest source, else `default`. Blank is not set."""
        for level, values in enumerate(self._iterate_sources(name)):
            for source, value in values:
                if value and value.strip():
                    self.sources[name], self.levels[name] = source, level
                    return value.strip()
        self.sources[name], self.levels[name] = "default", LAST
        return default

    def file(self, name: str) -> File | None:
        """The settings file that a field was found in; None for any other source."""
        return self._from.get(name)

    def unused(self, name: str) -> Field | None:
        """The field of this name that is ignored in a checkout's file; None if there is none."""
        return self._files.unused(name)

    def _iterate_sources(self, name: str) -> Iterator[list[tuple[str, str | None]]]:
        """The sources of a field with its values, one list per level, the strongest first."""
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

    def is_on(self, name: str) -> bool:
        """The value of a boolean field. Raises SettingError if the word is neither on nor off."""
        text = self.text(name)
        return parse_switch(text, self.sources[name])

    def error(self, name: str, what: str) -> SettingError:
        """The error for a wrong value of the field `name`, with the place where it was set."""
        return SettingError(f"{self.sources[name]}: {what}")
