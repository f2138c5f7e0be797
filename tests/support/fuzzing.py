"""The examples of a fuzzer: each has a seed of its own, so that one alone can be had again.

TFEVENTS_TEST_FUZZ: how many times as many as in the default run. TFEVENTS_TEST_FUZZ_SEED: of the
first example; each of the others has one more.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

TIMES = float(os.environ.get("TFEVENTS_TEST_FUZZ", "1"))
SEED = int(os.environ.get("TFEVENTS_TEST_FUZZ_SEED", "1"))


class Examples:
    """`for dice in examples`: the chance of one example after the other.

    `number`: of all; `tried`: of those that there were so far. `slowest`: the longest that one of
    them took, in seconds of this process' own work.
    """

    def __init__(self, reader: str, number: int) -> None:
        self.reader, self.number = reader, max(1, round(number * TIMES))
        self.tried, self.slowest = 0, 0.0

    def __iter__(self) -> Iterator[random.Random]:
        for seed in range(SEED, SEED + self.number):
            self.tried += 1
            begin = time.process_time()
            yield random.Random(seed)
            self.slowest = max(self.slowest, time.process_time() - begin)

    @property
    def last(self) -> int:
        """The seed of the last one: where a test failed, the one that it failed on."""
        return SEED + self.tried - 1

    def check_both(self, read: int) -> None:
        """A fuzzer that only ever meets what is read, or what is refused, finds nothing."""
        assert self.number < 100 or 0 < read < self.number, f"{read} of {self.number} were read"
