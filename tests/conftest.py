"""Sets up the test process, and has the fixtures that most tests use."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.engines import clean_env, terraform
from support.fuzzing import Examples
from support.machine import Machine
from support.stage import Stage, settings

ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


def pytest_configure() -> None:
    """Resets what every `tf` in tests would inherit: signals, which `nohup pytest` and `pytest &`
    ignore, and the umask, which lets others write to the files of an ordinary user of Debian."""
    os.umask(0o022)
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out what the README's command deselects, which each worker would read otherwise."""
    left_out = collection_path.name == "exhaustive" and config.option.markexpr == "not exhaustive"
    return left_out or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one worker more than cores, since many tests wait for something. More of them only
    import all tests once more."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A Harness IaCM on loopback, for this test only."""
    with Endpoint() as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with its own home directory and the terraform on PATH; nothing is configured."""
    return Machine(tmp_path)


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> Iterator[Examples]:
    """The examples of the test's marker `fuzz`; their number is recorded for the proof suite."""
    marker = request.node.get_closest_marker("fuzz")
    found = Examples(*marker.args)
    yield found
    told = {"reader": found.reader, "examples": found.tried, "slowest": found.slowest}
    request.node.user_properties += told.items()
    print(f"the last example again: TFEVENTS_TEST_FUZZ=0 TFEVENTS_TEST_FUZZ_SEED={found.last}")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A project, the terraform on PATH, and the destination of its events."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    return Stage(project, {**clean_env(home, terraform()), **settings(home)})
