"""Searches a text for many others, in a time that hardly depends on how many there are.

One pattern finds where any of them may begin. Which one begins there is found by binary search: the
last in sorted order that is not greater than the rest of the text, or a prefix of that one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

SHORTEST = 4
"""The fewest characters of a text to search for."""
HEAD = 64
"""How many characters are compared first; the rest of longer texts only if these match."""


Stretch = tuple[int, int]
"""The start and end of a part of a text."""


class TextSearch:
    """Searches for many texts at once; those shorter than SHORTEST are ignored."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = sorted(text for text in texts if len(text) >= SHORTEST)
        self._shorter = list(_find_shorter(self._texts))
        self._longest = max(map(len, self._texts), default=0)
        starts = {text[:SHORTEST] for text in self._texts}
        self._starts = re.compile(_make_pattern(starts) if starts else "(?!)", re.DOTALL)

    def find(self, text: str) -> Iterator[Stretch]:
        """The start and end of the longest match at each place; matches may overlap."""
        at = 0
        while hit := self._starts.search(text, at):
            at = hit.start() + 1
            if length := self._measure_longest_match(text, hit.start()):
                yield hit.start(), hit.start() + length

    def _measure_longest_match(self, text: str, start: int) -> int:
        """The length of the longest text found at `start`; 0 if there is none."""
        rest = text[start : start + HEAD]
        index = bisect_right(self._texts, rest)
        if index < len(self._texts) and self._texts[index].startswith(rest):
            rest = text[start : start + self._longest]
            index = bisect_right(self._texts, rest)
        index -= 1
        while index >= 0 and not rest.startswith(self._texts[index]):
            index = self._shorter[index]
        return len(self._texts[index]) if index >= 0 else 0


def replace_stretches(text: str, stretches: Iterable[Stretch], by: str) -> str:
    """`text` with each stretch replaced by `by`; overlapping stretches are replaced as one."""
    kept, done = [], 0
    for start, end in sorted(stretches):
        if start >= done:
            kept += [text[done:start], by]
        done = max(done, end)
    return "".join([*kept, text[done:]])


def _find_shorter(ordered: list[str]) -> Iterator[int]:
    """For each text, the index of the longest other text that is its prefix; -1 if none is."""
    open_ones: list[int] = []
    for number, text in enumerate(ordered):
        while open_ones and not text.startswith(ordered[open_ones[-1]]):
            open_ones.pop()
        yield open_ones[-1] if open_ones else -1
        open_ones.append(number)


def _make_pattern(words: Iterable[str]) -> str:
    """A regular expression for words of equal length, built as a trie so that it stays fast."""
    heads: dict[str, set[str]] = {}
    for word in words:
        heads.setdefault(word[0], set()).add(word[1:])
    branches = [
        re.escape(head) + (_make_pattern(rest) if any(rest) else "") for head, rest in heads.items()
    ]
    return f"(?:{'|'.join(sorted(branches))})"
