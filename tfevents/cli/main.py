"""`tfevents`: the command line's entry point, its commands, error messages and exit codes."""

from __future__ import annotations

import os
import platform
import signal
import sys
from typing import NoReturn, TextIO

import click

from tfevents import __file__ as package_file
from tfevents import __version__
from tfevents.cli.count import count
from tfevents.cli.flush import flush
from tfevents.cli.hook import MOMENTS, hook
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
    f"%(prog)s %(version)s, Python {platform.python_version()}, {os.path.dirname(package_file)}"
)
EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 130, 141


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tfevents", message=VERSION)
def tfevents() -> None:
    """Run your terraform or tofu, stay out of its way, and tell Harness IaCM what happened."""


def main() -> int:
    """Runs the command in `sys.argv` and returns its exit code; an error is one line on stderr.

    Raises the error instead if TFEVENTS_DEBUG is 1.
    """
    open_streams()
    try:
        arguments = expand_aliases(sys.argv[1:])
        exit_code = tfevents.main(arguments, prog_name="tfevents", standalone_mode=False) or 0
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as end:  # SystemExit: click's, for a broken pipe
        if isinstance(end, SystemExit) and not end.code:
            return 0  # click has completed a word for the shell
        discard_output(sys.stdout)
        return EXIT_BROKEN_PIPE
    except Exception as error:  # a traceback is no help to users
        if os.environ.get("TFEVENTS_DEBUG") == "1":
            raise
        return print_error(find_output_error(error) or error, sys.argv[1:])
    return int(exit_code)


def open_streams() -> None:
    """Opens each closed standard stream on os.devnull, so that no other file gets its descriptor.

    The outputs replace characters that they can't encode: a terminal may support only ASCII.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null_device = os.open(os.devnull, os.O_RDWR)
            if null_device != number:
                os.dup2(null_device, number)
                os.close(null_device)
            setattr(sys, name, os.fdopen(number, mode))
        if mode == "w":
            getattr(sys, name).reconfigure(errors="replace")


def discard_output(stream: TextIO) -> None:
    """Redirects the stream to os.devnull, so that its buffered text is dropped without an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def find_output_error(error: Exception) -> TfeventsError | None:
    """The error to print if `error` is a failure to write stdout, as on a full disk; else None."""
    try:
        sys.stdout.flush()
    except OSError as broken:
        discard_output(sys.stdout)
        if isinstance(error, OSError):
            return TfeventsError(f"stdout: {broken.strerror}")
    return None


def run_from_launcher() -> NoReturn:
    """The entry point that the launcher (`bin/tfevents`) calls.

    The launcher starts Python without `site` and with SIGINT's default action, so that Ctrl-C ends
    it while it imports. From here on, Ctrl-C raises KeyboardInterrupt again.
    """
    from tfevents.wrapper.main import SiteFinder

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.meta_path.append(SiteFinder)
    sys.exit(main())


def expand_aliases(arguments: list[str]) -> list[str]:
    """The arguments with `help`, `help COMMAND` and `version` replaced by click's options."""
    if arguments[:1] in (["help"], ["-help"]):
        return [*arguments[1:2], "--help"]
    return ["--version"] if arguments in (["version"], ["-version"]) else arguments


def print_error(error: Exception, arguments: list[str]) -> int:
    """Prints the error as one line on stderr and returns the exit code."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    text, exit_code = describe_error(error)
    print_line(text)
    return find_hook_exit_code(arguments) if arguments[:1] == ["hook"] else exit_code


def find_hook_exit_code(arguments: list[str]) -> int:
    """The exit code of a hook with an error in its command line or settings.

    0, so that the hook does not fail the host's run; 86 after a strict run.
    """
    from tfevents.hosts.hook import find_exit_code

    moment = next((word for word in arguments if word in MOMENTS), "")
    return find_exit_code(moment, delivered=False, env=os.environ)


def describe_error(error: Exception) -> tuple[str, int]:
    """(message, exit code) of an error."""
    if isinstance(error, TfeventsError):
        return str(error), error.exit_code
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "tfevents"
        message = " ".join(error.format_message().split())
        return f"{message} (see: {command} --help)", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", EXIT_INTERRUPTED
    if isinstance(error, OSError):
        return f"{error.filename or 'the working directory'}: {error.strerror}", 1
    return f"{type(error).__name__} (a bug: TFEVENTS_DEBUG=1 shows where)", 1
