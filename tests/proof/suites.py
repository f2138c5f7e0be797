"""All suites, in the order of docs/proof.md.

A suite is a module with ABOUT (one sentence), `add_options(parser)` and `run(options)`, which
returns an Outcome and shows progress on stderr.
"""

from __future__ import annotations

from types import ModuleType

import exactness
import faults
import fuzz
import image
import loss
import transparency

SUITES: dict[str, ModuleType] = {
    "transparency": transparency,
    "exactness": exactness,
    "loss": loss,
    "faults": faults,
    "fuzz": fuzz,
    "image": image,
}
