"""What every test takes for granted of the process it runs in, and what most of them play on."""

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
    """Signals, which `nohup pytest` and `pytest &` ignore, and the umask, by which others may write
    to what an ordinary user of Debian makes: every `tf` of ours would inherit them."""
    os.umask(0o022)
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_IGN:
            default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, default)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What the README's command leaves out is not even read: each worker would."""
    left_out = collection_path.name == "exhaustive" and config.option.markexpr == "not exhaustive"
    return left_out or None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: two for each core, since many a test waits for somebody."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A Harness of one's own."""
    with Endpoint() as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A home of one's own, the terraform on PATH, nothing configured."""
    return Machine(tmp_path)


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> Iterator[Examples]:
    """Those of the test's marker `fuzz`; the proof suite is told how many there were."""
    marker = request.node.get_closest_marker("fuzz")
    found = Examples(*marker.args)
    yield found
    told = {"reader": found.reader, "examples": found.tried, "slowest": found.slowest}
    request.node.user_properties += told.items()
    print(f"the last example again: TFEVENTS_TEST_FUZZ=0 TFEVENTS_TEST_FUZZ_SEED={found.last}")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A project, the terraform on PATH, and where its events belong."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    return Stage(project, {**clean_env(home, terraform()), **settings(home)})
