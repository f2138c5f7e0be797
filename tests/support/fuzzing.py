"""The examples of a fuzz test: each has its own seed, so that one alone can be repeated.

TFEVENTS_TEST_FUZZ: the number of examples, as a multiple of the default run's.
TFEVENTS_TEST_FUZZ_SEED: the seed of the first example; each of the others adds one.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

TIMES = float(os.environ.get("TFEVENTS_TEST_FUZZ", "1"))
SEED = int(os.environ.get("TFEVENTS_TEST_FUZZ_SEED", "1"))


class Examples:
    """`for dice in examples`: the random generator of one example after the other.

    `number`: of all examples; `tried`: of those so far. `slowest`: the longest time that one of
    them took, in CPU seconds of this process.
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
        """The seed of the last example; if a test failed, the one that it failed on."""
        return SEED + self.tried - 1

    def check_both(self, read: int) -> None:
        """Asserts that some examples were read and some refused; otherwise a fuzz test finds
        nothing."""
        assert self.number < 100 or 0 < read < self.number, f"{read} of {self.number} were read"
