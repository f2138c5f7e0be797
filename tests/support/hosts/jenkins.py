"""The `sh` steps of a declarative Jenkinsfile, by stage and by block."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"//[^\n]*|(?P<open>\w+)(?:\('(?P<label>[^']*)'\))?\s*\{|(?P<close>\})|sh '(?P<sh>[^']*)'"
    r"|(?P<word>\S+)"
)
_WORDS = {"agent", "any"}


def stages(text: str) -> dict[str, dict[str, list[str]]]:
    """The lines of each stage by block (`steps`, `success`, …); raises ValueError for unknown
    syntax."""
    found: dict[str, dict[str, list[str]]] = {}
    path: list[str] = []
    for token in _TOKEN.finditer(text):
        if token["open"]:
            path.append(token["label"] or token["open"])
        elif token["close"]:
            path.pop()
        elif token["sh"] is not None:
            found.setdefault(path[2], {}).setdefault(path[-1], []).append(token["sh"])
        elif token["word"] and token["word"] not in _WORDS:
            raise ValueError(f"not understood: {token['word']}")
    assert not path, f"not closed: {path}"
    return found
