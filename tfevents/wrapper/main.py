"""Entry point of `tf`: becomes terraform, or runs it as a child process and reports the run.

Imports at module level only what a command that is not reported needs: Terragrunt calls the binary
many times.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

from tfevents.errors import TfeventsError
from tfevents.settings.environment import find_provisioner, is_disabled
from tfevents.terminal import print_line
from tfevents.terraform import binary
from tfevents.wrapper import process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from typing import NoReturn

    from tfevents.wrapper.run import ReportedRun

REPORTED = ("plan", "apply", "destroy", "refresh", "import")
HELP = ("-h", "-help", "--help")
CHDIR = "-chdir="
NO_PYTHON = "TFEVENTS_FRONT"
"""Environment variable that makes the launcher (bin/tf) become terraform without using Python."""


def main() -> int:
    """Runs `tf`; gives the exit code. If terraform died of a signal, this process does, too."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: no traceback
    arguments = sys.argv[1:]
    try:
        path = binary.find_binary(
            os.environ, sys.argv[0], find_provisioner(os.environ), find_directory(arguments)
        )
        return run(arguments, path)
    except TfeventsError as error:
        return print_error(str(error), error.exit_code)
    except binary.NotExecutable as error:
        return print_error(f"can't run {error.filename}: {error.strerror}", 126)
    except Exception as error:
        if process.attempts:
            return print_error(f"{type(error).__name__} (a bug)", 1)
        return _fall_back_to_launcher(error)


def run_from_launcher() -> NoReturn:
    """Runs `tf` for the launcher (bin/tf, a shell script) and ends the process.

    `sys.argv[0]` is the name by which the launcher was called. Python was started without `site`:
    packages installed beside tfevents can be imported at once, and SiteFinder adds the other
    locations when an import fails.
    """
    sys.meta_path.append(SiteFinder)
    os._exit(main())  # nothing is left to be flushed; a regular interpreter exit takes 20 ms


def _fall_back_to_launcher(error: Exception) -> int:
    """Replaces this process by the launcher, which then becomes terraform without using Python.

    For unexpected errors before a provisioner was started; gives 126 if the launcher can't be run.
    """
    _print_unreported(error)
    launcher = sys.argv[0]
    try:
        os.execve(launcher, [launcher, *sys.argv[1:]], {**os.environ, NO_PYTHON: "alone"})
    except OSError as failed:
        return print_error(f"can't run {launcher}: {failed.strerror}", 126)


class SiteFinder:
    """Import hook of last resort: runs `site`, which is slow but finds all package locations."""

    has_run_site = False

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The module's spec after `site` was run; None on every later call (importlib's API)."""
        if cls.has_run_site or path is not None or name in sys.stdlib_module_names:
            return None
        cls.has_run_site = True
        import site
        from importlib.machinery import PathFinder

        package_folders = [folder for folder in sys.path if folder.endswith("-packages")]
        site.main()
        for folder in package_folders:
            site.addsitedir(folder)
        return PathFinder.find_spec(name)


def run(arguments: list[str], path: str) -> int:
    """Runs the provisioner at `path`, and reports the run if it is to be reported.

    Gives the exit code. Raises NotExecutable.
    """
    try:
        reports = (
            not is_disabled(os.environ)
            and is_reported(arguments)
            and not binary.is_reported_already(os.environ)
        )
    except Exception as error:
        reports = _print_unreported(error)
    if reports:
        return process.end_as(run_reported(arguments, os.environ, path).exit_code)
    process.exec_provisioner(path, arguments, os.environ)


def run_reported(
    arguments: Sequence[str], env: Mapping[str, str], path: str, *, stage: bool = False
) -> ReportedRun:
    """As `run_and_report`, but after an error before the provisioner was started this process
    becomes the provisioner, without a report. Raises NotExecutable."""
    before = process.attempts
    gc.set_threshold(100_000)  # imported modules are never garbage: collecting only costs time
    try:
        from tfevents.wrapper.run import run_and_report

        return run_and_report(tuple(arguments), env, path, stage=stage)
    except Exception as error:  # broad on purpose: terraform has to run in any case
        if process.attempts > before:
            raise
        _print_unreported(error)
    process.exec_provisioner(path, arguments, env)


def _print_unreported(error: Exception) -> bool:
    """Prints why the run is not reported. Always False: whether the run is reported."""
    known = isinstance(error, TfeventsError)
    print_error(f"nothing is reported: {error if known else f'{type(error).__name__} (a bug)'}", 0)
    return False


def print_error(message: str, exit_code: int) -> int:
    """Prints one line and gives `exit_code`."""
    print_line(message)
    return exit_code


def is_reported(arguments: list[str]) -> bool:
    """Whether the arguments are a command that is reported, and don't ask for its help."""
    for word in arguments:
        if not word.startswith("-"):
            return word in REPORTED and not set(HELP) & set(arguments)
        if not word.startswith(CHDIR):
            return False
    return False


def find_directory(arguments: list[str]) -> str:
    """The directory that terraform will work in, relative to the current one: that of a leading
    `-chdir=`, else `.`"""
    first = arguments[0] if arguments else ""
    return first.removeprefix(CHDIR) if first.startswith(CHDIR) else "."
