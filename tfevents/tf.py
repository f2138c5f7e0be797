"""The drop-in's first milliseconds: become terraform, or stay and observe.

Nothing is imported here that a pass-through does not need: Terragrunt calls the binary many times.
"""

from __future__ import annotations

import _signal  # `signal` builds enums, 3 ms
import gc
import os
import sys

from tfevents import provisioner
from tfevents.errors import TfeventsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import NoReturn

REPORTED = ("plan", "apply", "destroy", "refresh", "import")
HELP = ("-h", "-help", "--help")
ON = ("1", "true", "yes", "on")
CHDIR = "-chdir="


def main() -> int:
    """`tf`: terraform's own exit code, or its death by signal."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl-C ends us without a traceback
    arguments = sys.argv[1:]
    try:
        return run(arguments, provisioner.find(os.environ, sys.argv[0], wanted()))
    except TfeventsError as error:
        return complain(str(error), error.exit_code)
    except OSError as error:
        return complain(f"can't run {error.filename or 'it'}: {error.strerror}", 126)


def from_front() -> NoReturn:
    """The console script `tfevents-observe`: the front, /bin/sh, hands on what needs Python, and
    the name by which it was called before it."""
    del sys.argv[0]
    os._exit(main())  # nothing of ours is left to be written; taking Python down takes 20 ms


def bare() -> NoReturn:
    """The same for a Python that was started without `site`: what is installed beside us is there
    at once, and what stands anywhere else when it is missed."""
    sys.meta_path.append(Elsewhere)
    from_front()


class Elsewhere:
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

        site.main()
        return PathFinder.find_spec(name)


def run(arguments: list[str], path: str) -> int:
    """The provisioner at `path`, observed where this is to be reported. Raises OSError."""
    if off() or not reported(arguments) or provisioner.observed(os.environ):
        provisioner.become(path, arguments, os.environ)
    gc.set_threshold(100_000)  # what is imported stays: looking for garbage in it is in vain
    from tfevents.observe import observe

    return observe(tuple(arguments), os.environ, path)


def complain(message: str, exit_code: int) -> int:
    """One line, and the code to leave with."""
    try:  # noqa: SIM105  # contextlib is slow to import
        os.write(2, f"tfevents: {message}\n".encode(errors="replace"))
    except OSError:
        pass  # stderr is closed
    return exit_code


def off() -> bool:
    """Whether reporting is switched off altogether."""
    return os.environ.get("TFEVENTS_DISABLED", "").strip().lower() in ON


def reported(arguments: list[str]) -> bool:
    """Whether this is a command that is reported, and no question for its help."""
    for word in arguments:
        if not word.startswith("-"):
            return word in REPORTED and not set(HELP) & set(arguments)
        if not word.startswith(CHDIR):
            return False
    return False


def wanted() -> str | None:
    """The provisioner that is asked for, by the variable alone: a settings file may be anybody's,
    and none is read before terraform starts."""
    return os.environ.get("TFEVENTS_PROVISIONER", "").strip() or None


if __name__ == "__main__":
    sys.exit(main())
