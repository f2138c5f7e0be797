"""Spoils documents for fuzz tests: gives them another shape, or other bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**40,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    [1, 2],
)
NOISE = (b"\xe9", b"\xff", b"\x00", b'"', b"\\", b"{", b"]", b",", b"1e999", b"\\ud800", b"NaN")


def list_places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: its container, and its name or index there."""
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in list(inner):
        yield node, name
        if isinstance(value, (dict, list)):
            yield from list_places(value)


def reshape_json(document: str, dice: random.Random) -> bytes:
    """Valid JSON with other values or names in one to three places."""
    node = json.loads(document)
    for _ in range(dice.randint(1, 3)):
        if not (places := list(list_places(node))):
            break
        container, name = dice.choice(places)
        if isinstance(container, dict) and dice.random() < 0.2:
            container[dice.choice(("\ud800", "", "x\n"))] = container.pop(name)
        else:
            container[name] = deepcopy(dice.choice(ODD))
    return json.dumps(node).encode()


def spoil_bytes(document: bytes, dice: random.Random) -> bytes:
    """The document with noise in one to four places, inserted or instead of some bytes."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(document) + 1)
        document = document[:at] + dice.choice(NOISE) + document[at + dice.choice((0, 0, 1, 40)) :]
    return document
