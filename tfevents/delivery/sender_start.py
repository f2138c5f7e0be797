"""Starts a run's sender process as a new Python, where wrapper/sender.py has not forked it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

import tfevents
from tfevents.settings.environment import KEY_NAMES
from tfevents.terraform.binary import SECRETS

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
"""The program of the sender process: adds our sys.path, without the slow `site`. If the import
fails, it also runs `site` and processes the .pth files of each directory."""


def start_sender(env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a Python process that runs sender_main. Raises OSError.

    It has our sys.path, but none of our streams, locks or API keys.

    It stays in our process group with SIGNALS blocked: this process handles them, and tells the
    sender over the pipe when to end.
    """
    package = os.path.dirname(os.path.dirname(tfevents.__file__))
    paths = [path for path in (*sys.path, package) if os.path.isabs(path)]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        return subprocess.Popen(
            [sys.executable, "-IS", "-c", START, *paths],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={name: text for name, text in env.items() if name not in (*SECRETS, *KEY_NAMES)},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
