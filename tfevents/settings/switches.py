"""Reads a single boolean setting, for code that runs before or without all other settings."""

from __future__ import annotations

from collections.abc import Mapping

from tfevents.settings.environment import TRUE, read_switch
from tfevents.settings.files import find_user_values


def is_on(name: str, env: Mapping[str, str]) -> bool:
    """Whether `direct`, `strict` or `quiet` is on: by its variable, else by the user's own file.

    A file that can't be read switches nothing on; load.py reports the error.
    """
    value = read_switch(name, env)
    if value is not None:
        return value
    fields = (file.fields.get(name) for file in find_user_values(env).files)
    found = next((field.text for field in fields if field), "")
    return found.lower() in TRUE
