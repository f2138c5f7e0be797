"""Which modules are imported before terraform starts: only those that are needed to start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tfevents

START = {
    *("errors", "terminal", "terraform", "terraform.binary", "wrapper", "wrapper.main"),
    *("wrapper.process", "files", "settings", "settings.environment"),
}
"""The modules that decide whether a command is reported, and become terraform if it is not."""
RUN = START | {
    *("wrapper.run", "wrapper.reporter", "wrapper.sender", "wrapper.signals"),
    *("reporting", "reporting.run", "journal"),
    *("journal.run_lock", "settings", "settings.home", "settings.switches"),
    *("settings.environment", "terraform.arguments", "terraform.workdir"),
}
"""The modules that start terraform and write the note of the run."""


def imported(module: str, *flags: str) -> set[str]:
    """The names of all modules after `module` was imported by a Python started with `flags`, by
    default those of the launcher."""
    place = str(Path(tfevents.__file__).parents[1])
    code = f"import sys; sys.path.append({place!r}); import {module}; print(*sys.modules)"
    python = [sys.executable, *(flags or ("-IS",)), "-c", code]
    return set(subprocess.run(python, capture_output=True, text=True, check=True).stdout.split())


def names_of(modules: set[str]) -> set[str]:
    """The names of tfevents' own modules among these, without the prefix `tfevents.`."""
    ours = {name for name in modules if name.partition(".")[0] == "tfevents"}
    return {name.partition(".")[2] for name in ours} - {""}


def test_a_command_that_is_not_reported_needs_few_modules() -> None:
    """If the launcher leaves the decision to Python, a command that is not reported imports only
    START: Terragrunt calls the binary many times."""
    assert names_of(imported("tfevents.wrapper.main")) == START


def test_terraform_is_started_by_plain_modules() -> None:
    """Until terraform is started, only RUN and the standard library are imported; the rest of a
    report is imported while terraform works."""
    modules = imported("tfevents.wrapper.run")
    assert names_of(modules) <= RUN
    foreign = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert foreign == {"tfevents", "__main__"}


def test_a_report_does_without_what_few_files_need() -> None:
    """A report does not import PyYAML, which is needed only for .harness/workspace.yaml."""
    assert "yaml" not in imported("tfevents.reporting.run_reporter", "-I")
