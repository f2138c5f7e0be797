"""Whether something is switched on, for who must know before or without all other settings."""

from __future__ import annotations

from collections.abc import Mapping

from tfevents.settings.environment import TRUE, read_switch
from tfevents.settings.files import find_users


def is_on(name: str, env: Mapping[str, str]) -> bool:
    """`direct`, `strict` or `quiet`: the variable's word, else that of the user's own file.

    A file that can't be read switches nothing on: that is told where all settings are read.
    """
    said = read_switch(name, env)
    if said is not None:
        return said
    fields = (file.fields.get(name) for file in find_users(env).files)
    found = next((field.text for field in fields if field), "")
    return found.lower() in TRUE
