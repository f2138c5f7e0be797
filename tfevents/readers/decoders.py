"""Creates and caches msgspec's JSON decoders, one at a time.

msgspec inspects a type when a decoder is first made for it. If a second thread makes one for the
same type meanwhile, the process dies of SIGSEGV (msgspec 0.22), as `tf apply` sometimes did.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

from msgspec.json import Decoder

T = TypeVar("T")

LOCK = Lock()
DECODERS: dict[Any, Decoder[Any]] = {}


def find_decoder(kind: type[T]) -> Decoder[T]:
    """The cached decoder of a type; any number of threads may use it."""
    with LOCK:
        if kind not in DECODERS:
            DECODERS[kind] = Decoder(kind)
        return DECODERS[kind]
