"""How a run ended, by its exit code and signals."""

from __future__ import annotations

import signal

import pytest
from support.core_logs import ALL

from tfevents.events.table import make_end_activity
from tfevents.reporting.facts import RunFacts
from tfevents.reporting.outcome import determine_outcome
from tfevents.terraform.arguments import parse_arguments

DETAILED = ("plan", "-detailed-exitcode")


def facts(*words: str, exit_code: int, signals: tuple[int, ...] = ()) -> RunFacts:
    """The facts of a run that did not ask for approval, without a plan or a log."""
    arguments = parse_arguments(words, {})
    assert arguments is not None
    return RunFacts(arguments, exit_code, signals=signals, approved=True)


@pytest.mark.parametrize(
    ("words", "exit_code", "signals", "event_type"),
    [
        (DETAILED, 2, (), "apply_needed"),
        (DETAILED, 2, (signal.SIGINT,), "apply_needed"),
        (DETAILED, 2, (signal.SIGQUIT,), "failed"),
        (DETAILED, 0, (), "plan"),
        (("plan", "-detailed-exitcode=false"), 2, (), "failed"),
        (("plan",), 2, (), "failed"),
        (("plan",), 2, (signal.SIGQUIT,), "failed"),
        (("apply", "-auto-approve"), 2, (), "failed"),
    ],
)
def test_2_means_changes_only_where_it_was_asked_for(
    words: tuple[str, ...], exit_code: int, signals: tuple[int, ...], event_type: str
) -> None:
    """Exit code 2 means changes for `plan -detailed-exitcode` only: otherwise, and after SIGQUIT,
    Go's runtime ended a process that crashed."""
    run = facts(*words, exit_code=exit_code, signals=signals)
    outcome = determine_outcome(run).outcome
    assert outcome is not None
    activity = make_end_activity(outcome)
    assert activity is not None
    assert activity.event_type.value == event_type


@pytest.mark.parametrize(("exit_code", "counted"), [(0, True), (1, True), (2, False), (11, False)])
def test_an_apply_that_crashed_is_not_counted(exit_code: int, counted: bool) -> None:
    """What an apply did is only counted if it ended by itself: with 0 or 1."""
    recording = next(recording for recording in ALL if recording.scenario == "create")
    arguments = parse_arguments(("apply", "-auto-approve"), {})
    assert arguments is not None
    before, after = recording.state("before"), recording.state("after")
    run = RunFacts(
        arguments, exit_code, log=recording.log(), before=before, stored_state=after, approved=True
    )
    assert (determine_outcome(run).numbers.resources is not None) is counted


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGKILL, "SIGKILL"), (35, "SIG35"), (63, "SIG63")]
)
@pytest.mark.parametrize("received", [False, True])
def test_a_signal_without_a_name_is_its_number(number: int, name: str, received: bool) -> None:
    """Most real-time signals have no name: they are given by number."""
    signals = (number,) if received else ()
    run = facts("plan", exit_code=1 if received else -number, signals=signals)
    assert determine_outcome(run).data["interrupted"] == name
