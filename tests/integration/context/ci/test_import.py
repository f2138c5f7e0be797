"""What `import tfevents.context.ci` may cost: it lies on the way of every run."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = "import __future__, collections.abc, importlib, json, operator, re, sys, typing; \
before = set(sys.modules); import tfevents.context.ci; \
print(*sorted(n for n in set(sys.modules) - before if not n.startswith('tfevents')))"


def test_it_brings_nothing_but_itself() -> None:
    """No urllib, no third party: only what every run has loaded already."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_only_the_vendor_at_hand_is_loaded() -> None:
    """Thirty modules take longer to load than the one takes to answer."""
    program = (
        "import sys; from tfevents.context import ci; "
        "ci.find_build({'TRAVIS': 'true'}, lambda path: None); "
        "print(*(n for n in ci.VENDORS if f'tfevents.context.ci.{n}' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["travis"]
