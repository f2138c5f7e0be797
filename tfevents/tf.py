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
        return run(arguments, provisioner.find(os.environ, sys.argv[0], wanted(arguments)))
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


def wanted(arguments: list[str]) -> str | None:
    """The provisioner that is asked for: by the environment, or by a settings file that says so."""
    if given := os.environ.get("TFEVENTS_PROVISIONER", "").strip():
        return given
    try:
        directory = os.path.abspath(_chdir(arguments))
    except OSError:
        return None  # the working directory is gone, which terraform tells in its own words
    return _filed(directory) if _mentioned(directory) else None


def _chdir(arguments: list[str]) -> str:
    for word in arguments:
        if not word.startswith("-"):
            break
        if word.startswith(CHDIR):
            return word[len(CHDIR) :]
    return "."


def _mentioned(directory: str) -> bool:
    """Whether a settings file near here names a provisioner: most say nothing of it, and parsing
    one is for those that do."""
    place = directory
    while not _says(os.path.join(place, ".tfevents.hcl")):
        above = os.path.dirname(place)
        if above == place or os.path.exists(os.path.join(place, ".git")):
            config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
            return _says(os.path.join(config, "tfevents", "config.hcl"))
        place = above
    return True


def _says(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"provisioner" in file.read(1 << 20)
    except OSError:
        return False


def _filed(directory: str) -> str | None:
    from tfevents.home import find_home
    from tfevents.projectfile import find_values

    try:
        values = find_values(os.environ, directory, "default", find_home(os.environ))
    except TfeventsError:
        return None  # said where the settings are read; terraform runs all the same
    return values.get("provisioner")


if __name__ == "__main__":
    sys.exit(main())
