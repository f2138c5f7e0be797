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
        """Forks the sender process; to be called before a thread is started."""
        self._run = run
        self._forked = fork_sender(run.env)
        self._reporter: RunReporter | None = None
        self._thread = threading.Thread(target=self._start_reporter, name="reporter", daemon=True)

    def start(self) -> None:
        """Starts the thread; does nothing if it was started before."""
        with suppress(RuntimeError):
            self._thread.start()

    def wait(self) -> RunReporter:
        """Waits until the reporter has started, and gives it. Raises RuntimeError if it failed."""
        self.start()
        self._thread.join()
        if self._reporter is None:
            raise RuntimeError("the report could not be prepared")
        return self._reporter

    def end_unused_sender(self) -> bool:
        """Ends the forked sender process if no reporter uses it; gives whether there was one."""
        if self._forked is None or self._reporter is not None:
            return False
        self._forked.end()
        self._forked = None
        return True

    def pull_state_before(self, signals: SignalForwarder) -> None:
        """Pulls the state before an import, for only a comparison of states shows what was
        imported. An optional fact: does nothing if the reporter failed. After a signal terraform is
        not started any more, so that the state is not needed."""
        with suppress(RuntimeError):
            reporter = self.wait()
            signals.on_signal_without_child = reporter.shorten_deadline
            if not signals.interrupted:
                reporter.pull_state_before()

    def _start_sender(self) -> StartedProcess | None:
        """The forked sender process. Where there is none, starts one before the reporter is
        imported, so that both import in parallel; None without an API key in the environment, or if
        the process can't be started."""
        if self._forked is not None or not may_have_key(self._run.env):
            return self._forked
        from tfevents.delivery.sender_start import start_sender

        with suppress(OSError):
            return start_sender(self._run.env)
        return None

    def _start_reporter(self) -> None:
        try:
            sender = self._start_sender()
            from tfevents.reporting.run_reporter import RunReporter

            reporter = RunReporter(self._run, *_find_overrides(self._run.env), sender=sender)
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
