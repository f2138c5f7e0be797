"""Two threads can use the decoder of a type for the first time at once."""

from __future__ import annotations

import subprocess
import sys

SOURCE = """
from __future__ import annotations
import threading
from msgspec import Struct
from tfevents.readers.decoders import find_decoder

def meet():
    found.append(find_decoder(Outer).decode(b'{"inner": {"x": 1}}'))

def evaluate():  # msgspec asks for the annotation while it looks into Outer
    global second
    second = threading.Thread(target=meet)
    second.start()
    second.join(0.3)
    return int

class Inner(Struct):
    x: evaluate()

class Outer(Struct):
    inner: Inner

found = []
meet()
second.join()
assert found == [Outer(Inner(1))] * 2, found
"""


def test_the_second_waits_until_the_first_knows_it() -> None:
    """The second thread waits until the first has made the decoder; with msgspec's own `decode` the
    process dies of SIGSEGV."""
    done = subprocess.run([sys.executable, "-c", SOURCE], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
