"""Starts a run's sender, before anything that takes long to import is imported: subprocess, too."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import NamedTuple

import tfevents
from tfevents.settings.environment import HARNESS_NAMES
from tfevents.terraform.binary import SECRETS

KEYS = ("TFEVENTS_API_KEY", "TFEVENTS_API_KEY_FILE", *HARNESS_NAMES["api_key"])
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
START = """
import os, sys
os.closerange(3, os.sysconf("SC_OPEN_MAX"))
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


class StartedSender(NamedTuple):
    """Its process, and our ends of the two pipes to it."""

    pid: int
    orders: int
    answers: int


def start_sender(env: Mapping[str, str]) -> StartedSender:
    """A Python that runs sender_main. Raises OSError.

    It finds what we have found, and holds nothing of ours: no stream, no lock, no key.

    It stays in our process group and leaves the group's signals to us: it inherits them blocked,
    and what they mean for it is said over the pipe.
    """
    package = os.path.dirname(os.path.dirname(tfevents.__file__))
    places = [place for place in (*sys.path, package) if os.path.isabs(place)]
    words = [sys.executable, "-IS", "-c", START, *places]
    (its_orders, orders), (answers, its_answers) = os.pipe(), os.pipe()
    try:
        pid = os.posix_spawn(
            sys.executable,
            words,
            {name: text for name, text in env.items() if name not in (*SECRETS, *KEYS)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, its_orders, 0),
                (os.POSIX_SPAWN_DUP2, its_answers, 1),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsigmask=SIGNALS,
        )
    except OSError:
        os.close(orders)
        os.close(answers)
        raise
    finally:
        os.close(its_orders)
        os.close(its_answers)
    return StartedSender(pid, orders, answers)
