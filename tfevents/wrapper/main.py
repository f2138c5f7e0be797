"""The drop-in's first milliseconds: become terraform, or stay and observe.

Nothing is imported here that a pass-through does not need: Terragrunt calls the binary many times.
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
ALONE = "TFEVENTS_FRONT"
"""For the front: what is Python's must not be asked again."""


def main() -> int:
    """`tf`: terraform's own exit code, or its death by signal."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    arguments = sys.argv[1:]
    try:
        path = binary.find_binary(
            os.environ, sys.argv[0], find_provisioner(os.environ), chdir(arguments)
        )
        return run(arguments, path)
    except TfeventsError as error:
        return complain(str(error), error.exit_code)
    except binary.NotExecutable as error:
        return complain(f"can't run {error.filename}: {error.strerror}", 126)
    except Exception as error:
        if process.attempts:
            return complain(f"{type(error).__name__} (a bug)", 1)
        return _fall_back_to_launcher(error)


def run_from_launcher() -> NoReturn:
    """The front, /bin/sh, hands on what needs Python, and the name by which it was called.

    Python was started without `site`: what is installed beside us is there at once, and what stands
    anywhere else when it is missed.
    """
    sys.meta_path.append(SiteFinder)
    os._exit(main())  # nothing of ours is left to be written; taking Python down takes 20 ms


def _fall_back_to_launcher(error: Exception) -> int:
    """Nothing of ours can be relied on any more: the front becomes terraform by itself."""
    _unreported(error)
    front = sys.argv[0]
    try:
        os.execve(front, [front, *sys.argv[1:]], {**os.environ, ALONE: "alone"})
    except OSError as failed:
        return complain(f"can't run {front}: {failed.strerror}", 126)


class SiteFinder:
    """The last that is asked for a module: `site` knows all places, and takes its time."""

    asked = False

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """As importlib wants it."""
        if cls.asked or path is not None or name in sys.stdlib_module_names:
            return None
        cls.asked = True
        import site
        from importlib.machinery import PathFinder

        beside = [place for place in sys.path if place.endswith("-packages")]
        site.main()
        for place in beside:
            site.addsitedir(place)
        return PathFinder.find_spec(name)


def run(arguments: list[str], path: str) -> int:
    """The provisioner at `path`, reported where this is to be. Raises NotExecutable."""
    try:
        reports = (
            not is_disabled(os.environ)
            and reported(arguments)
            and not binary.is_reported_already(os.environ)
        )
    except Exception as error:
        reports = _unreported(error)
    if reports:
        return process.end_as(report(arguments, os.environ, path).exit_code)
    process.become(path, arguments, os.environ)


def report(
    arguments: Sequence[str], env: Mapping[str, str], path: str, *, stage: bool = False
) -> ReportedRun:
    """As `run_and_report`; what goes wrong before the provisioner runs ends in becoming it.

    Raises NotExecutable.
    """
    before = process.attempts
    gc.set_threshold(100_000)  # what is imported stays: looking for garbage in it is in vain
    try:
        from tfevents.wrapper.run import run_and_report

        return run_and_report(tuple(arguments), env, path, stage=stage)
    except Exception as error:  # broad on purpose: terraform runs all the same
        if process.attempts > before:
            raise
        _unreported(error)
    process.become(path, arguments, env)


def _unreported(error: Exception) -> bool:
    """Says why; gives what was found out: that nothing is reported."""
    known = isinstance(error, TfeventsError)
    complain(f"nothing is reported: {error if known else f'{type(error).__name__} (a bug)'}", 0)
    return False


def complain(message: str, exit_code: int) -> int:
    """One line, and the code to leave with."""
    print_line(message)
    return exit_code


def reported(arguments: list[str]) -> bool:
    """Whether this is a command that is reported, and no question for its help."""
    for word in arguments:
        if not word.startswith("-"):
            return word in REPORTED and not set(HELP) & set(arguments)
        if not word.startswith(CHDIR):
            return False
    return False


def chdir(arguments: list[str]) -> str:
    """Where terraform will work, from where we stand."""
    first = arguments[0] if arguments else ""
    return first.removeprefix(CHDIR) if first.startswith(CHDIR) else "."
