"""Forks the sender process right after terraform was started, so that it imports httpx while
terraform works.

A forked process has all modules that were imported before, which a new Python would have to import
again. Only on Linux, since the system's frameworks on macOS don't work in a forked process: there
delivery/sender_start.py starts a new Python.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from tfevents.settings.environment import KEY_NAMES, may_have_key
from tfevents.terraform.binary import SECRETS
from tfevents.wrapper.signals import FORWARDED, close_all_but

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = b"tfevents-sender"
"""The forked process' name in `ps -e` and `top`, at most 15 bytes. Its command line is `tf`'s."""


class ForkedSender:
    """A forked sender process, with our ends of its pipes: the part of subprocess.Popen's interface
    that delivery/sender_process.py uses."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Forks the sender process, with `env` without API keys as its environment. Raises OSError.

        To be called while this process has one thread only.
        """
        orders_read, orders_write = os.pipe()
        report_read, report_write = os.pipe()
        self.stdin = os.fdopen(orders_write, "wb", buffering=0)
        self.stdout = os.fdopen(report_read, "rb", buffering=0)
        self._exit_code: int | None = None
        self._waiting = threading.Lock()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        try:
            self._pid = os.fork()
            if self._pid == 0:
                _become_sender(orders_read, report_write, env)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            os.close(orders_read)
            os.close(report_write)

    def kill(self) -> None:
        """Kills the process, if it was not waited for already."""
        with self._waiting:
            if self._exit_code is None:
                os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        """Waits for the process' end; gives its exit code, negative for the signal it died of.

        To be called after `kill`: another thread's `kill` would wait, too.
        """
        with self._waiting:
            if self._exit_code is None:
                _, status = os.waitpid(self._pid, 0)
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code


def fork_sender(env: Mapping[str, str]) -> ForkedSender | None:
    """Forks the sender process; None without an API key in the environment, if the process can't be
    forked, and off Linux. Raises nothing, as terraform is running already. To be called while this
    process has one thread only."""
    if sys.platform == "linux" and may_have_key(env):
        with suppress(Exception):  # broad on purpose: a broken module raises anything
            _import_shared()
            return ForkedSender(env)
    return None


def _import_shared() -> None:
    """Imports what both the reporter and the sender need, so that only one process does it: the two
    compete with terraform for the cores, and importing is most of what they do in a short run."""
    import hashlib  # noqa: F401
    import logging  # noqa: F401
    import pathlib  # noqa: F401
    import tempfile  # noqa: F401
    import urllib.parse  # noqa: F401

    import tfevents.delivery.sender_process
    import tfevents.journal.journal  # noqa: F401


def _become_sender(orders: int, report: int, env: Mapping[str, str]) -> None:
    """Runs the sender in this process, which was just forked, and ends it.

    The signals stay blocked: the run's process handles them, and tells the sender when to end. All
    other file descriptors are closed: the run's lock, and what terraform reads or writes.
    """
    try:
        signal.set_wakeup_fd(-1)
        os.dup2(orders, 0)
        os.dup2(report, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        close_all_but(0, 1, 2)
        keys = (*SECRETS, *KEY_NAMES)
        inherited = {name: text for name, text in env.items() if name not in keys}
        os.environ.clear()  # may be `env` itself
        os.environ.update(inherited)
        with suppress(OSError), open("/proc/self/comm", "wb") as name:
            name.write(NAME)
        from tfevents.delivery.sender_main import main

        main()
    finally:
        os._exit(1)
