"""Fuzz tests of the command line: random arguments are either accepted or refused with an error
message."""

from __future__ import annotations

import json
import random
import shutil

import click
import pytest
from support.command import Tfevents
from support.fuzzing import Examples
from support.paths import PLANS

from tfevents.cli.main import COMMANDS
from tfevents.cli.main import tfevents as program

STAYING = {"receive", "selftest", "relay", "--follow", "-f"}
"""Commands and options that go on running if they are accepted: they are parsed only."""
ODD = (
    "",
    "-",
    "--",
    "-x",
    "--x=1",
    "a b",
    "é",
    "\udcff",
    "\x1b[31m\n",
    "=",
    "a=b",
    "0",
    "-1",
    "{}",
)
FILES = ("plan.json", "broken.json", "nothing.json", ".", "/dev/null")
EXIT_CODES = (0, 1, 2, 86, 127)


def make_words(command: click.Command, dice: random.Random) -> list[str]:
    """Random options and arguments for a command."""
    words = []
    for parameter in dice.choices(command.params, k=dice.randrange(5)) if command.params else ():
        value = dice.choice((*ODD, *FILES))
        if isinstance(parameter.type, click.Choice) and dice.random() < 0.7:
            value = dice.choice(list(parameter.type.choices))
        name = dice.choice(parameter.opts) if isinstance(parameter, click.Option) else ""
        flag = isinstance(parameter, click.Option) and parameter.is_flag
        words += [word for word in (name, "" if flag else value) if word]
    return words + dice.choices(ODD, k=dice.choice((0, 0, 1, 2)))


@pytest.fixture
def there(tfevents: Tfevents) -> Tfevents:
    """`tfevents` in a working directory with files that the arguments can name."""
    shutil.copy(PLANS / "update/plan.json", tfevents.cwd / "plan.json")
    (tfevents.cwd / "broken.json").write_text('{"format_version": "1.2", ')
    return tfevents


@pytest.mark.fuzz("tfevents' own commands", 60)
def test_words_are_taken_or_told(there: Tfevents, examples: Examples) -> None:
    """Random arguments lead to an exit code that the README lists and to lines that begin with
    `tfevents: `, never to a traceback."""
    commands = [command for command in COMMANDS if command.name not in STAYING]
    taken = 0
    for dice in examples:
        command = dice.choice(commands)
        words = [command.name or "", *make_words(command, dice)]
        if STAYING.intersection(words):
            continue
        done = there.run(*words)
        said = done.stderr.decode(errors="replace")
        assert done.returncode in EXIT_CODES, (words, done)
        assert "a bug" not in said, (words, done)
        assert "Traceback" not in said, (words, done)
        assert all(line.startswith("tfevents: ") for line in said.splitlines()), (words, done)
        taken += done.returncode == 0
    examples.check_both(taken)


@pytest.mark.fuzz("tfevents' own words, parsed", 500)
def test_words_are_parsed_or_told(examples: Examples) -> None:
    """Parsing random arguments of any command raises no other errors than click's own."""
    taken = 0
    for dice in examples:
        command = dice.choice(COMMANDS)
        words = [command.name or "", *make_words(command, dice)]
        try:
            with program.make_context("tfevents", list(words)) as context:
                name, found, rest = program.resolve_command(context, words)
                assert found is not None
                found.make_context(name, rest, parent=context).close()
                taken += 1
        except (click.ClickException, click.exceptions.Exit) as error:
            json.dumps(str(error))
    examples.check_both(taken)
