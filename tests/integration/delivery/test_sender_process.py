"""How a run handles a sender process that reports, fails to start, ends early or hangs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tfevents.deadline import Deadline
from tfevents.delivery.result import SENDER_BROKEN, SENDER_ENDED
from tfevents.delivery.sender_process import SenderProcess, SenderReport
from tfevents.delivery.sender_start import start_sender
from tfevents.settings.environment import KEY_NAMES, may_have_key
from tfevents.settings.model import ApiKey, Settings

SETTINGS = Settings("/nowhere", api_key=ApiKey("pat.acct.token.secret"))


def report_of(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float = 60
) -> SenderReport:
    """The report of a sender process in which the shell script `program` runs instead of Python."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{program}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    sender = SenderProcess(start_sender({"PATH": "/usr/bin:/bin"}))
    sender.begin(SETTINGS, str(tmp_path), str(tmp_path), "default")
    return sender.wait(Deadline(seconds))


def test_its_report_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = report_of("""echo '{"reason": "503"}'""", tmp_path, monkeypatch)
    assert found == SenderReport(reason="503")


def test_one_that_can_t_start_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender process that exits with 1, as Python does if a module is missing, is reported as
    SENDER_BROKEN."""
    assert report_of("exit 1", tmp_path, monkeypatch).reason == SENDER_BROKEN


@pytest.mark.parametrize("program", ["kill -9 $$", "echo '{'"])
def test_one_that_ends_early_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    assert report_of(program, tmp_path, monkeypatch).reason == SENDER_ENDED


def test_one_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender process that hangs is killed after the deadline and reported as SENDER_ENDED."""
    assert report_of("exec sleep 600", tmp_path, monkeypatch, 0).reason == SENDER_ENDED


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_new_python_inherits_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A sender process that is a new Python has no API key in its environment."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nenv >seen\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(tmp_path)
    start_sender({"PATH": "/usr/bin:/bin", "KEPT": "yes", name: "canary"}).communicate(timeout=60)
    seen = (tmp_path / "seen").read_text()
    assert "KEPT=yes" in seen
    assert "canary" not in seen


def test_it_starts_early_only_where_a_variable_names_a_key() -> None:
    """A run starts its sender process early only if an environment variable gives an API key or its
    file."""
    assert may_have_key({"TFEVENTS_API_KEY_FILE": "key"})
    assert may_have_key({"HARNESS_PLATFORM_API_KEY": "key"})
    assert not may_have_key({"TFEVENTS_API_KEY": "", "HARNESS_ACCOUNT_ID": "acct"})
