"""Imports and starts a run's reporter in a thread, while terraform works."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from tfevents.settings.environment import METADATA_PREFIX, may_have_key
from tfevents.wrapper.sender import fork_sender

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tfevents.delivery.sender_process import StartedProcess
    from tfevents.errors import SettingError
    from tfevents.reporting.run import Run
    from tfevents.reporting.run_reporter import RunReporter
    from tfevents.wrapper.signals import SignalForwarder


class BackgroundReporter:
    """Imports and starts the reporter in a thread, while terraform works."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._started = False
        self._sender: StartedProcess | None = None
        self._reporter: RunReporter | None = None
        self._thread = threading.Thread(target=self._start_reporter, name="reporter", daemon=True)

    def start(self) -> None:
        """Forks the sender process and starts the thread; does nothing if that was done before. To
        be called while this process has one thread only."""
        if self._started:
            return
        self._started = True
        self._sender = fork_sender(self._run.env)  # before there is a thread
        with suppress(RuntimeError):
            self._thread.start()

    def wait(self) -> RunReporter:
        """Waits until the reporter has started, and gives it. Raises RuntimeError if it failed."""
        self.start()
        self._thread.join()
        if self._reporter is None:
            raise RuntimeError("the report could not be prepared")
        return self._reporter

    def end_unused_sender(self) -> None:
        """Ends the sender process if no reporter uses it."""
        if self._sender is not None and self._reporter is None:
            self._sender.kill()
            self._sender.wait()

    def pull_state_before(self, signals: SignalForwarder) -> None:
        """Pulls the state before an import, for only a comparison of states shows what was
        imported. An optional fact: does nothing if the reporter failed. After a signal terraform is
        not started any more, so that the state is not needed."""
        with suppress(RuntimeError):
            reporter = self.wait()
            signals.on_signal_without_child = reporter.shorten_deadline
            if not signals.interrupted:
                reporter.pull_state_before()

    def _start_sender(self) -> None:
        """Starts a new Python as the sender process, if none was forked and there is an API key in
        the environment: before the reporter is imported, so that both import in parallel."""
        if self._sender is not None or not may_have_key(self._run.env):
            return
        from tfevents.delivery.sender_start import start_sender

        with suppress(OSError):
            self._sender = start_sender(self._run.env)

    def _start_reporter(self) -> None:
        try:
            self._start_sender()
            from tfevents.reporting.run_reporter import RunReporter

            overrides, errors = _find_overrides(self._run.env)
            reporter = RunReporter(self._run, overrides, errors, sender=self._sender)
            reporter.start()
            self._reporter = reporter
        except Exception as error:  # broad on purpose: the run goes on without a report
            import logging

            logging.getLogger("tfevents").info("no reporter: %s", type(error).__name__)


def _find_overrides(env: Mapping[str, str]) -> tuple[Mapping[str, Any], Sequence[SettingError]]:
    """The metadata fields set by TFEVENTS_METADATA_*, and an error for each variable that can't be
    used. Checking them imports jsonschema, which most runs don't need."""
    if not any(name.startswith(METADATA_PREFIX) for name in env):
        return {}, ()
    from tfevents.context.overrides import gather_valid_overrides

    return gather_valid_overrides(env)
