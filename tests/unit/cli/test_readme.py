"""The README lists the commands, options, variables and settings that the program has."""

from __future__ import annotations

import re

import click
from support.paths import ROOT

from tfevents.cli import main
from tfevents.doctor import variables
from tfevents.settings import environment, model
from tfevents.stage.settings import COMMANDS
from tfevents.terraform import binary
from tfevents.wrapper.main import NO_PYTHON

README = (ROOT / "README.md").read_text()
INTERNAL = {binary.CALLER, NO_PYTHON, "TFEVENTS_DEBUG"}
"""Variables that the README need not list: those that our processes pass to each other, and
TFEVENTS_DEBUG, which is only for reports of bugs."""


def section(title: str) -> str:
    """The README's text under a heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, str]:
    """The rows of the tables under a heading, by the first word in backquotes."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    return {match[1]: line for line in lines if (match := re.match(r"\| `([^`]+)`", line))}


def test_every_command_and_each_of_its_options() -> None:
    """The README's table has exactly the commands that `tfevents` has, each with exactly its
    options."""
    told = {words.split()[1]: row for words, row in rows("Commands").items()}
    assert told.keys() == main.tfevents.commands.keys()
    for name, command in main.tfevents.commands.items():
        options = {o for p in command.params if isinstance(p, click.Option) for o in p.opts[:1]}
        assert set(re.findall(r"`(--?[a-z-]+)`", told[name])) == options, name


def test_every_variable_that_is_read() -> None:
    """The README's settings have exactly the TFEVENTS_* variables that the program reads."""
    sources = [path.read_text() for path in (ROOT / "tfevents").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"\bTFEVENTS_[A-Z_]*[A-Z]\b", text)}
    fields = {name.upper() for name in model.Settings.__annotations__}
    fields = (fields - {"SOURCES", "NOTES"}) | {"API_KEY_FILE"}
    expected = read - INTERNAL | {f"TFEVENTS_{name}" for name in fields}
    told = set(re.findall(r"\bTFEVENTS_[A-Z_]*[A-Z]\b", section("Settings")))
    assert told - {"TFEVENTS_METADATA_GIT_BRANCH"} == expected - {"TFEVENTS_METADATA", "TFEVENTS_X"}
    assert told - {"TFEVENTS_METADATA_GIT_BRANCH"} <= variables.list_variables()


def test_harness_own_names() -> None:
    """Each variable of Harness' own stands in the row of the TFEVENTS_* variable that it
    replaces."""
    table = rows("Settings")
    for field, names in environment.HARNESS_NAMES.items():
        row = next(row for row in table.values() if f"`TFEVENTS_{field.upper()}`" in row)
        assert [name for name in names if f"`{name}`" not in row] == [], field


def test_the_stages_commands() -> None:
    """The row of PLUGIN_COMMAND lists exactly the commands of a stage."""
    row = rows("In a pipeline stage")["PLUGIN_COMMAND"]
    assert set(re.findall(r"`([a-z-]+)`", row)) == {*COMMANDS, "stage-complete"}


def test_the_tests_command_is_what_ci_runs() -> None:
    """The README's command for the tests is, word for word, a line of .ci/run."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    (command,) = re.findall(r"^\$ (.*&& pytest.*)$", README, re.MULTILINE)
    assert command in lines
