"""`tfevents`: its commands by name, what is printed for an error, and with which code it ends."""

from __future__ import annotations

import os
import platform
import signal
import sys
from typing import NoReturn, TextIO

import click

from tfevents import __file__ as tfevents_place
from tfevents import __version__
from tfevents.cli.count import count
from tfevents.cli.flush import flush
from tfevents.cli.hook import hook
from tfevents.cli.inventory import inventory
from tfevents.cli.log.command import log
from tfevents.cli.plugin import plugin
from tfevents.cli.run import run
from tfevents.cli.send import send
from tfevents.cli.setup.completion import completion
from tfevents.cli.setup.doctor import doctor
from tfevents.cli.setup.init import init
from tfevents.cli.setup.receive import receive
from tfevents.cli.setup.selftest import selftest
from tfevents.cli.stage_complete import stage_complete
from tfevents.errors import TfeventsError
from tfevents.terminal import print_line

COMMANDS = (
    run,
    completion,
    count,
    doctor,
    log,
    flush,
    send,
    stage_complete,
    hook,
    init,
    inventory,
    plugin,
    receive,
    selftest,
)
VERSION = (
    f"%(prog)s %(version)s, Python {platform.python_version()}, {os.path.dirname(tfevents_place)}"
)
INTERRUPTED, BROKEN_PIPE = 130, 141


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tfevents", message=VERSION)
def tfevents() -> None:
    """Run your terraform or tofu, stay out of its way, and tell Harness IaCM what happened."""


def main() -> int:
    """Run the command of `sys.argv`; its exit code. Any error is one line on stderr.

    Raises the error itself where TFEVENTS_DEBUG is 1.
    """
    open_streams()
    try:
        words = expand_aliases(sys.argv[1:])
        exit_code = tfevents.main(words, prog_name="tfevents", standalone_mode=False) or 0
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as end:  # click's own way to say that nobody reads on
        if isinstance(end, SystemExit) and not end.code:
            return 0  # and that it has completed a word
        discard(sys.stdout)
        return BROKEN_PIPE
    except Exception as error:  # no traceback for those who can't use one
        if os.environ.get("TFEVENTS_DEBUG") == "1":
            raise
        return print_error(find_output_error(error) or error, sys.argv[1:])
    return int(exit_code)


def open_streams() -> None:
    """A stream that is closed leads nowhere, and no file of ours gets its number; a terminal may
    know only ASCII."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, "w"))
        getattr(sys, name).reconfigure(errors="replace")


def discard(stream: TextIO) -> None:
    """What still waits to be written to it is lost, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def find_output_error(error: Exception) -> TfeventsError | None:
    """Why stdout can't be written, where `error` is that it can't, as on a full disk; else None."""
    try:
        sys.stdout.flush()
    except OSError as broken:
        discard(sys.stdout)
        if isinstance(error, OSError):
            return TfeventsError(f"stdout: {broken.strerror}")
    return None


def run_from_launcher() -> NoReturn:
    """The entry of the front (`bin/tfevents`), which starts Python without `site`, and has Ctrl-C
    end it at once until we are here."""
    from tfevents.wrapper.main import SiteFinder

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.meta_path.append(SiteFinder)
    sys.exit(main())


def expand_aliases(words: list[str]) -> list[str]:
    """`help`, `help COMMAND` and `version`, as other programs have them, in click's words."""
    if words[:1] in (["help"], ["-help"]):
        return [*words[1:2], "--help"]
    return ["--version"] if words in (["version"], ["-version"]) else words


def print_error(error: Exception, words: list[str]) -> int:
    """Print one line on stderr; the code to end with."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    text, exit_code = describe_error(error)
    print_line(text)
    return find_hook_exit_code(words) if words[:1] == ["hook"] else exit_code


def find_hook_exit_code(words: list[str]) -> int:
    """The exit code of a hook that is called or set wrongly: it does not stop somebody else's run
    ."""
    from tfevents.hosts.hook import find_exit_code

    return find_exit_code("".join(words[1:2]), delivered=False, env=os.environ)


def describe_error(error: Exception) -> tuple[str, int]:
    """The line and the exit code of an error."""
    if isinstance(error, TfeventsError):
        return str(error), error.exit_code
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "tfevents"
        what = " ".join(error.format_message().split())
        return f"{what} (see: {command} --help)", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", INTERRUPTED
    if isinstance(error, OSError):
        return f"{error.filename or 'the working directory'}: {error.strerror}", 1
    return f"{type(error).__name__} (a bug: TFEVENTS_DEBUG=1 shows where)", 1
