"""Addresses at which nothing answers: a closed port, and a listener that never accepts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def closed_port() -> Iterator[str]:
    """A URL whose connections are refused at once.

    The port is bound but not listened on, so that no other test can get it meanwhile.
    """
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


@contextmanager
def black_hole() -> Iterator[str]:
    """A URL whose connections are never established: the listener's queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = _fill(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


def _fill(address: tuple[str, int]) -> list[socket.socket]:
    """Opens connections until one is not established within 0.2 s any more."""
    fillers: list[socket.socket] = []
    while len(fillers) < 64:
        filler = socket.socket()
        filler.settimeout(0.2)
        fillers.append(filler)
        try:
            filler.connect(address)
        except TimeoutError:
            return fillers
    raise OSError("this kernel's queue does not fill")
