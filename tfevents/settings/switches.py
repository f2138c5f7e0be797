"""Whether something is switched on, for who must know before or without all other settings."""

from __future__ import annotations

from collections.abc import Mapping

from tfevents.settings.environment import PREFIX, TRUE
from tfevents.settings.home import find_user_file


def is_on(name: str, env: Mapping[str, str]) -> bool:
    """`direct`, `strict` or `quiet`: the variable's word, else that of the user's own file.

    A word that is neither on nor off, and a file that can't be read, switch nothing on: they are
    told where all settings are read.
    """
    word = env.get(PREFIX + name.upper(), "").strip() or _filed(name, env)
    return word.lower() in TRUE


def _filed(name: str, env: Mapping[str, str]) -> str:
    if find_user_file(env) is None:
        return ""
    from tfevents.settings.files import find_users  # most have no such file

    fields = (file.fields.get(name) for file in find_users(env).files)
    return next((found.text for found in fields if found), "")
