"""Decoders of JSON, made one at a time.

msgspec looks into a type when it first meets it. A second thread that meets it meanwhile, half
looked into, ends the process by SIGSEGV (msgspec 0.22): so did, now and then, a `tf apply`.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

from msgspec.json import Decoder

T = TypeVar("T")

MAKING = Lock()
MADE: dict[Any, Decoder[Any]] = {}


def find_decoder(kind: type[T]) -> Decoder[T]:
    """The decoder of a type, which any number of threads may use."""
    with MAKING:
        if kind not in MADE:
            MADE[kind] = Decoder(kind)
        return MADE[kind]
