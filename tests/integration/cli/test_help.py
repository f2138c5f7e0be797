"""How `tfevents` is called: help, versions, shell completion, wrong usage and closed streams."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import click
import pytest
from support.command import PROGRAM, Tfevents
from support.exhaustive import exhaustive_except
from support.terminal import Terminal

from tfevents import __file__ as tfevents_package
from tfevents.cli import main, send


def test_version(tfevents: Tfevents) -> None:
    """`--version` prints the installed version, Python's version and the package's path."""
    python = platform.python_version()
    place = Path(tfevents_package).parent
    told = tfevents.ok("--version")
    assert told == f"tfevents {version('tfevents')}, Python {python}, {place}\n"


WORDS = {
    "a command": (["tfevents", "do"], ["doctor"]),
    "an option": (["tfevents", "flush", "--ti"], ["--timeout"]),
}


@pytest.mark.parametrize("words", exhaustive_except(WORDS, "an option"))
def test_bash_completes(tfevents: Tfevents, words: str) -> None:
    """The function that `completion bash` prints completes commands and options in a real bash."""
    typed, completed = WORDS[words]
    script = f"""
        eval "$({tfevents.program} completion bash)"
        COMP_WORDS=({shlex.join(typed)}) COMP_CWORD={len(typed) - 1}
        _tfevents_completion {tfevents.program} && echo "${{COMPREPLY[@]}}"
    """
    told = subprocess.check_output(["bash", "-ec", script], env=tfevents.env, text=True)
    assert told.split() == completed


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_what_is_printed(tfevents: Tfevents, shell: str) -> None:
    """zsh and fish accept the syntax of the script that `completion` prints for them."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    script = tfevents.ok("completion", shell)
    subprocess.run([shell, "-n"], input=script, env=tfevents.env, text=True, check=True)


@pytest.mark.parametrize(
    "words", [("help",), ("-h",), ("-help",), ("help", "count"), ("count", "-h")]
)
def test_help_by_its_other_names(words: tuple[str, ...], tfevents: Tfevents) -> None:
    """`help`, `-h` and `-help` print the same as `--help`; `run` passes a `-h` behind its binary to
    that binary."""
    command = [word for word in words if word == "count"]
    assert tfevents.ok(*words) == tfevents.ok(*command, "--help")
    assert "no such" in tfevents.fails(2, "help", "no-such").lower()
    tfevents.provisioner('echo "$@"')
    assert tfevents.ok("run", "terraform", "-h") == "-h\n"


@pytest.mark.parametrize("word", ["version", "-version"])
def test_version_by_its_other_names(word: str, tfevents: Tfevents) -> None:
    """`version` and `-version`, terraform's spellings, print the same as `--version`."""
    assert tfevents.ok(word) == tfevents.ok("--version")


def test_every_command_and_option_says_what_it_does() -> None:
    """Every command and option has a help text; the list of commands shows each command's first
    line uncut."""
    context = click.Context(main.tfevents, info_name="tfevents")
    listed = main.tfevents.get_help(context)
    assert "..." not in listed.partition("Commands:")[2]
    for name, command in main.tfevents.commands.items():
        assert f"  {name} " in listed
        assert command.help
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (name, option.name)
                assert not option.help[0].islower(), (name, option.name)


def test_help_is_no_error(tfevents: Tfevents) -> None:
    """`--help` of each command prints to stdout and exits with 0."""
    for words in ((), ("count",), ("run",), ("log",), ("flush",), ("send",), ("stage-complete",)):
        assert tfevents.ok(*words, "--help").startswith("Usage: tfevents ")


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("count",),
        ("count", "--no-such-option", "x"),
        ("log", "-n", "0"),
        ("log", "-n", "many"),
        ("flush", "--timeout", "-1"),
        ("send",),
        ("send", "no-such-type"),
        ("send", "plan", "--activity-type", "no-such-type"),
        ("send", "plan", "--data", "no-value"),
        ("send", "plan", "--data", "=no-key"),
        ("stage-complete", "--activity-type", "apply"),
        ("run",),
        ("run", "-x", "terraform"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], tfevents: Tfevents) -> None:
    """Wrong usage exits with 2 and one line that refers to `--help`, and creates no home
    directory."""
    line = tfevents.fails(2, *words)
    assert line.startswith("tfevents: ")
    assert line.endswith(" --help)")
    assert not tfevents.home.exists()


def test_no_command_shows_the_help(tfevents: Tfevents) -> None:
    """`tfevents` without a command prints the help to stderr and exits with 2."""
    done = tfevents.run()
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"stage-complete" in done.stderr


def test_the_literals_are_the_contract_s() -> None:
    """The choices of `send` are those of the event schema; they are literals, so that the help does
    not have to read the schema."""
    schema = json.loads(files("tfevents.events").joinpath("event.schema.json").read_text())
    metadata = schema["$defs"]["ActivityMetadata"]["properties"]
    assert list(send.EVENT_TYPES) == schema["properties"]["event_type"]["enum"]
    assert list(send.ACTIVITY_TYPES) == metadata["activity_type"]["enum"]
    assert list(send.ACTIVITY_STATUSES) == metadata["activity_status"]["enum"]


HEAVY = {"httpx", "hcl2", "jsonschema", "rich", "sqlite3", "subprocess"}


def test_nothing_heavy_is_imported_for_the_help() -> None:
    """Importing the command line imports no module that only single commands need."""
    code = "import sys, click; there = {*sys.modules}; import tfevents.cli.main"
    code += "; print(*{*sys.modules} - there)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


def test_a_bug_is_one_line(tfevents: Tfevents) -> None:
    """An unexpected exception is one line on stderr; TFEVENTS_DEBUG=1 prints the traceback."""
    blocked = tfevents.cwd / "blocked"
    blocked.mkdir()
    (blocked / "_sqlite3.py").write_text("1 / 0\n")
    done = run_main(tfevents, "log", PYTHONPATH=str(blocked))
    line = "tfevents: ZeroDivisionError (a bug: TFEVENTS_DEBUG=1 shows where)\n"
    assert (done.returncode, done.stderr) == (1, line)
    done = run_main(tfevents, "log", PYTHONPATH=str(blocked), TFEVENTS_DEBUG="1")
    assert "Traceback" in done.stderr


def run_main(tfevents: Tfevents, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs `tfevents` by `python -c`, which, unlike the installed command, obeys PYTHON variables;
    returns the result."""
    code = "import sys; from tfevents.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env={**tfevents.env, **env},
        cwd=tfevents.cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_goes_away(tfevents: Tfevents) -> None:
    """With a closed pipe as stdout, the exit code is 141 and stderr is empty."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as gone:
        done = subprocess.run(
            [PROGRAM, "--help"], env=tfevents.env, stdout=gone, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


REDIRECTIONS = [
    (">&-", 0, ""),
    ("2>&-", 0, "nothing has been recorded yet: run `tf plan` or `tf apply`"),
    ("<&- >&- 2>&-", 0, ""),
    (">/dev/full", 1, "tfevents: stdout: No space left on device"),
]


@pytest.mark.parametrize(
    ("redirection", "exit_code", "line"), exhaustive_except(REDIRECTIONS, *REDIRECTIONS[2:])
)
def test_streams_that_are_closed_or_full(
    tfevents: Tfevents, redirection: str, exit_code: int, line: str
) -> None:
    """Output to a closed stream is dropped; a full device is an error that names the stream."""
    script = f"exec 2>&1; code=0; {tfevents.program} log {redirection} || code=$?; echo $code"
    assert tfevents.shell(script).split("\n") == [*filter(None, [line]), str(exit_code), ""]


def test_a_terminal_that_knows_only_ascii(tfevents: Tfevents) -> None:
    """Characters that the terminal's encoding lacks are replaced by spaces."""
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = run_main(tfevents, "count", "n\N{LATIN SMALL LETTER A WITH DIAERESIS}hte", **env)
    assert done.stderr == "tfevents: can't read n  hte: No such file or directory\n"


@pytest.mark.exhaustive
def test_a_directory_that_is_gone(tfevents: Tfevents) -> None:
    """In a deleted working directory, the error is the operating system's message, not a bug
    report."""
    script = f"mkdir gone; cd gone; rmdir ../gone; {tfevents.program} send plan || echo $?"
    command = ["/bin/sh", "-c", script]
    done = subprocess.run(
        command, env=tfevents.env, cwd=tfevents.cwd, capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
    ours = [line for line in done.stderr.splitlines() if not line.startswith("sh: ")]  # dash's own
    assert ours == ["tfevents: the working directory: No such file or directory"]


def test_ctrl_c(tfevents: Tfevents) -> None:
    """Ctrl-C ends a command with exit code 130 and one line."""
    tfevents.env["PYTHONUNBUFFERED"] = "1"
    with Terminal([tfevents.program, "count", "-"], env=tfevents.env, cwd=tfevents.cwd) as terminal:
        while not waits_for_stdin(terminal.pid):
            time.sleep(0.02)
        terminal.interrupt()
        assert terminal.wait() == 130
        assert "tfevents: interrupted" in terminal.screen


def waits_for_stdin(pid: int) -> bool:
    """Whether the process is in a system call whose first argument is file descriptor 0."""
    with open(f"/proc/{pid}/syscall") as call:
        return call.read().split()[1:2] == ["0x0"]


def test_which_shells_there_are(tfevents: Tfevents) -> None:
    """`completion` without a shell lists the shells in one line."""
    line = tfevents.fails(2, "completion")
    assert "Choose from: bash, zsh, fish (see: tfevents completion --help)" in line
