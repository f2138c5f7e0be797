"""Checks that no event is lost or sent twice.

The endpoint hangs, refuses events or is down, or the wrapper gets a `kill -9`.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tfevents.selftest.check import Check, CheckFailed
from tfevents.selftest.commands import COMMAND_SECONDS, CommandResult, compare_results
from tfevents.selftest.endpoint import Endpoint, find_closed_port, open_endpoint
from tfevents.selftest.groups.interruptions import run_and_signal
from tfevents.selftest.history import list_events
from tfevents.selftest.scratch import Project, Scratch, find_first_line

APPLY = ("apply", "-auto-approve", "-no-color")
CONFIGURATION = {"main.tf": 'resource "terraform_data" "a" {}\n'}
SLOW_CONFIGURATION = {
    "main.tf": """\
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo begun; sleep 2"
  }
}
"""
}
DESTINATION = {
    "TFEVENTS_API_KEY": "pat.selftest.selftest.selftest",
    "TFEVENTS_ORG": "selftest",
    "TFEVENTS_PROJECT": "selftest",
    "TFEVENTS_WORKSPACE": "selftest",
}
TIMEOUT_SECONDS = 4
"""TFEVENTS_TIMEOUT of the runs: how long reporting may delay them."""
APPLY_SECONDS = 6
"""How much longer than TIMEOUT_SECONDS an apply of one object may take on a busy machine."""
APPLY_EVENTS = ["provisioning", "active"]
KILLED_APPLY_EVENTS = ["provisioning", "failed"]


def list_checks(scratch: Scratch) -> Iterator[Check]:
    """The checks: with an endpoint that accepts events, then with others, last a killed wrapper."""
    yield Check("delivery", "an apply is reported once", partial(_check_delivered, scratch))
    for name, status in {"that refuses": 401, "that is busy": 503, "that hangs": None}.items():
        yield Check("delivery", f"an endpoint {name}", partial(_check_refused, scratch, status))
    closed_url = f"http://127.0.0.1:{find_closed_port()}"
    yield Check("delivery", "an endpoint that is away", partial(_check_kept, scratch, closed_url))
    yield Check("delivery", "kill -9 in the middle of an apply", partial(_check_killed, scratch))


def make_project(scratch: Scratch, url: str, files: Mapping[str, str] = CONFIGURATION) -> Project:
    """An initialised project whose events are sent to `url`."""
    seconds = str(TIMEOUT_SECONDS)
    return scratch.make_project(files, **DESTINATION, TFEVENTS_URL=url, TFEVENTS_TIMEOUT=seconds)


def _check_delivered(scratch: Scratch) -> None:
    with open_endpoint() as endpoint:
        project = make_project(scratch, endpoint.url)
        _apply_wrapped(scratch, project)
        require_once(endpoint.events, APPLY_EVENTS)


def _check_refused(scratch: Scratch, status: int | None) -> None:
    with open_endpoint(status) as endpoint:
        _check_kept(scratch, endpoint.url)


def _check_kept(scratch: Scratch, url: str) -> None:
    """Checks a run whose events can't be delivered.

    Its output is that of bare terraform, without a long delay, and its events stay in the journal
    until a flush delivers each of them once.
    """
    project = make_project(scratch, url)
    bare = _apply_bare(scratch)
    began = time.monotonic()
    compare_results(bare, _apply_wrapped(scratch, project))
    if time.monotonic() - began > TIMEOUT_SECONDS + APPLY_SECONDS:
        raise CheckFailed(f"the run was held up for more than {TIMEOUT_SECONDS} s")
    kept = [stored["event"]["event_type"] for stored in list_events(scratch, project)]
    if kept != APPLY_EVENTS:
        raise CheckFailed(f"the journal keeps {', '.join(kept) or 'nothing'}")
    with open_endpoint() as endpoint:
        flush_twice(scratch, project, endpoint)
        require_once(endpoint.events, APPLY_EVENTS)


def flush_twice(scratch: Scratch, project: Project, endpoint: Endpoint) -> None:
    """Flushes the journal twice to `endpoint`: the second flush should find nothing to send."""
    online_project = Project(project.directory, {**project.env, "TFEVENTS_URL": endpoint.url})
    for _ in range(2):
        scratch.run_tfevents(online_project, "flush")


def require_once(events: Sequence[Mapping[str, Any]], event_types: Sequence[str]) -> None:
    """Raises CheckFailed unless events of exactly these types arrived, in this order, each once."""
    ids = Counter(event["data"]["event_id"] for event in events)
    if any(times > 1 for times in ids.values()):
        raise CheckFailed("an event arrived twice")
    found = [event["event_type"] for event in events]
    if found != list(event_types):
        raise CheckFailed(
            f"{', '.join(found) or 'nothing'} arrived instead of {', '.join(event_types)}"
        )


def _apply_wrapped(scratch: Scratch, project: Project) -> CommandResult:
    done = scratch.run_wrapped(project, *APPLY)
    if done.exit_code:
        raise CheckFailed(f"exit code {done.exit_code}: {find_first_line(done.stderr)}")
    return done


def _apply_bare(scratch: Scratch) -> CommandResult:
    return scratch.run_bare(scratch.make_project(CONFIGURATION), *APPLY)


def _check_killed(scratch: Scratch) -> None:
    """Kills the wrapper during an apply.

    Terraform must finish alone, and the next flush must report the run as failed.
    """
    project = make_project(scratch, f"http://127.0.0.1:{find_closed_port()}", SLOW_CONFIGURATION)
    run_and_signal(scratch.tf, project, b"(local-exec): begun", signal.SIGKILL)
    _await_state(project.directory / "terraform.tfstate")
    with open_endpoint() as endpoint:
        flush_twice(scratch, project, endpoint)
        # the wrapper may have been killed before it recorded the start event
        expected = KILLED_APPLY_EVENTS if len(endpoint.events) > 1 else KILLED_APPLY_EVENTS[1:]
        require_once(endpoint.events, expected)


def _await_state(state: Path) -> None:
    """Waits until terraform, whose wrapper was killed, has stored its resource."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while not (state.exists() and b'"terraform_data"' in state.read_bytes()):
        if time.monotonic() > deadline:
            raise CheckFailed("the engine did not go on after the wrapper was killed")
        time.sleep(0.05)
