"""A run may take any time."""

from __future__ import annotations

from math import inf

from tfevents.journal.run_lock import RunLock
from tfevents.reporting.reporter import Reporter
from tfevents.reporting.run import RunInfo


def test_a_run_of_days_has_time_left_when_it_ends() -> None:
    """There is no deadline until terraform has exited; then the timeout is what is left."""
    info = RunInfo(RunLock("run", "/nowhere", -1), "plan", "normal", "/", "default", "", {})
    reporter = Reporter(info)
    assert reporter.deadline.seconds_left == inf
    reporter.start_delivery_deadline()
    assert 0 < reporter.deadline.seconds_left <= reporter.settings.timeout
