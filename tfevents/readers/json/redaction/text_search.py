"""Finding many texts in a text, in a time that hardly depends on how many there are.

What begins as one of them does is found by one pattern; which of them stands there, by their order:
the last one that is not greater than the rest of the text is it, or begins with it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

SHORTEST = 4
"""Characters of the texts that can be looked for."""
HEAD = 64
"""So many characters are compared first: the rest of a long text only where they are the same."""


Stretch = tuple[int, int]
"""From and to, in a text."""


class TextSearch:
    """Texts that can be looked for, all at once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = sorted(text for text in texts if len(text) >= SHORTEST)
        self._shorter = list(_find_shorter(self._texts))
        self._longest = max(map(len, self._texts), default=0)
        starts = {text[:SHORTEST] for text in self._texts}
        self._starts = re.compile(_make_pattern(starts) if starts else "(?!)", re.DOTALL)

    def find(self, text: str) -> Iterator[Stretch]:
        """Where they stand, the longest that begins in each place."""
        at = 0
        while hit := self._starts.search(text, at):
            at = hit.start() + 1
            if length := self._measure(text, hit.start()):
                yield hit.start(), hit.start() + length

    def _measure(self, text: str, start: int) -> int:
        """The length of the longest one that stands there; 0 where none does."""
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
    """`text` with `by` in the place of each stretch, and of those that overlap together."""
    kept, done = [], 0
    for start, end in sorted(stretches):
        if start >= done:
            kept += [text[done:start], by]
        done = max(done, end)
    return "".join([*kept, text[done:]])


def _find_shorter(ordered: list[str]) -> Iterator[int]:
    """For each, the number of the longest other one that it begins with; -1 where there is none."""
    open_ones: list[int] = []
    for number, text in enumerate(ordered):
        while open_ones and not text.startswith(ordered[open_ones[-1]]):
            open_ones.pop()
        yield open_ones[-1] if open_ones else -1
        open_ones.append(number)


def _make_pattern(words: Iterable[str]) -> str:
    """A pattern for words of one length that is quick for many of them: a tree of letters."""
    heads: dict[str, set[str]] = {}
    for word in words:
        heads.setdefault(word[0], set()).add(word[1:])
    branches = [
        re.escape(head) + (_make_pattern(rest) if any(rest) else "") for head, rest in heads.items()
    ]
    return f"(?:{'|'.join(sorted(branches))})"
