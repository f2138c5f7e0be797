"""Starts a run's sender, before anything that takes long to import is imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

import tfevents
from tfevents.settings.environment import HARNESS_NAMES
from tfevents.terraform.binary import SECRETS

KEYS = ("TFEVENTS_API_KEY", "TFEVENTS_API_KEY_FILE", *HARNESS_NAMES["api_key"])
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
START = """
import sys
sys.path += sys.argv[1:]
try:
    from tfevents.delivery.sender_main import main
except ImportError:
    import site
    site.main()
    for place in sys.argv[1:]:
        site.addsitedir(place)
    from tfevents.delivery.sender_main import main
main()
"""
"""What is installed beside us is there at once; what stands anywhere else, when it is missed."""


def may_have_key(env: Mapping[str, str]) -> bool:
    """Whether a variable names a key: who has it in a file alone waits until that is read."""
    return any(env.get(name) for name in KEYS)


def start_sender(env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A Python that runs sender_main. Raises OSError.

    It finds what we have found, and holds nothing of ours: no stream, no lock, no key.

    It stays in our process group and leaves the group's signals to us: it inherits them blocked,
    and what they mean for it is said over the pipe.
    """
    package = os.path.dirname(os.path.dirname(tfevents.__file__))
    places = [place for place in (*sys.path, package) if os.path.isabs(place)]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        return subprocess.Popen(
            [sys.executable, "-IS", "-c", START, *places],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={name: text for name, text in env.items() if name not in (*SECRETS, *KEYS)},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
