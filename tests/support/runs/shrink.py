"""Shrinks a run to the smallest one that still shows the same fault, one thing less at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from support.runs.found import Found
from support.runs.script import Script, Turn

_BLOCK = re.compile(r"^\S[^\n]*\{\n.*?^\}\n", re.MULTILINE | re.DOTALL)


def kinds_of(found: Iterable[Found]) -> set[str]:
    """The kinds of what is wrong: `events`, `stdout`, `resource_counts` and so on."""
    return {re.split("[ :]", wrong)[0] for one in found for wrong in one.wrong}


def shrink(script: Script, fails: Callable[[Script], bool], attempts: int) -> Script:
    """Removes turns, files, flags, blocks and their lines as long as the script still fails;
    `attempts` at most."""
    before = None
    while script != before:
        before = script
        for smaller in (_less_turns, _less_files, _less_flags, _less_blocks, _less_lines):
            number = 0
            while attempts and number < len(options := list(smaller(script))):
                attempts -= 1
                if fails(options[number]):
                    script = options[number]
                else:
                    number += 1
    return script


def _less_turns(script: Script) -> Iterator[Script]:
    """The script without one turn, in turn; the next turn gets its files."""
    for number, gone in enumerate(script.turns[:-1]):
        heir = script.turns[number + 1]
        heir = replace(heir, files={**gone.files, **heir.files})
        yield _with(script, *script.turns[:number], heir, *script.turns[number + 2 :])


def _less_files(script: Script) -> Iterator[Script]:
    """The script without one file of one turn, in turn."""
    for number, turn in enumerate(script.turns):
        for gone in turn.files:
            rest = {name: text for name, text in turn.files.items() if name != gone}
            yield _at(script, number, replace(turn, files=rest))


def _less_flags(script: Script) -> Iterator[Script]:
    """The script without one flag of a command or of a saved plan, in turn."""
    for number, turn in enumerate(script.turns):
        for words in _less_one_flag(turn.words):
            yield _at(script, number, replace(turn, words=words))
        for words in _less_one_flag(turn.saved or ()):
            yield _at(script, number, replace(turn, saved=words))


def _less_one_flag(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for number, word in enumerate(words):
        if word.startswith("-"):
            yield (*words[:number], *words[number + 1 :])


def _less_blocks(script: Script) -> Iterator[Script]:
    """The script without one block, in all its turns."""
    for name in dict.fromkeys(name_block(block) for block in _blocks(script)):
        yield _without(script, name)


def _less_lines(script: Script) -> Iterator[Script]:
    """The script without one line, or one inner block, of one block, in all its turns."""
    found = ((name_block(block), part) for block in _blocks(script) for part in split_block(block))
    for name, part in dict.fromkeys(found):
        yield _without(script, name, part)


def name_block(block: str) -> str:
    """The first line of a block if that has a name in it, else the whole block."""
    first = block.splitlines()[0]
    return first if '"' in first else block


def split_block(block: str) -> list[str]:
    """The parts of a block: its lines, and each inner block as one part."""
    parts, depth = [""], 0
    for line in block.splitlines(keepends=True)[1:-1]:
        parts[-1] += line
        depth += line.count("{") - line.count("}")
        if depth == 0:
            parts.append("")
    return [part for part in parts if part.strip()]


def _blocks(script: Script) -> Iterator[str]:
    for turn in script.turns:
        for text in turn.files.values():
            yield from _BLOCK.findall(text or "")


def _without(script: Script, name: str, part: str = "") -> Script:
    """The script without a part of a block, or without the whole block."""
    return _with(script, *(_cut_turn(turn, name, part) for turn in script.turns))


def _cut_turn(turn: Turn, name: str, part: str) -> Turn:
    texts = {path: text and _cut(text, name, part) for path, text in turn.files.items()}
    return replace(turn, files=texts)


def _cut(text: str, name: str, part: str) -> str:
    for block in _BLOCK.findall(text):
        if name_block(block) == name:
            text = text.replace(block, block.replace(part, "", 1) if part else "", 1)
    return text


def _at(script: Script, number: int, turn: Turn) -> Script:
    return _with(script, *script.turns[:number], turn, *script.turns[number + 1 :])


def _with(script: Script, *turns: Turn) -> Script:
    return replace(script, turns=turns)
