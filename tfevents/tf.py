"""The drop-in's first milliseconds: become terraform, or stay and observe.

Nothing is imported here that a pass-through does not need: Terragrunt calls the binary many times.
"""

import os
import sys

from tfevents import provisioner
from tfevents.errors import TfeventsError

REPORTED = ("plan", "apply", "destroy", "refresh", "import")
HELP = ("-h", "-help", "--help")
ON = ("1", "true", "yes", "on")


def main() -> int:
    """The console script `tf`: terraform's own exit code, or its death by signal."""
    arguments = sys.argv[1:]
    try:
        path = provisioner.find(os.environ, sys.argv[0], wanted())
        if off() or not reported(arguments):
            provisioner.become(path, arguments, os.environ)
        from tfevents.observe import observe

        return observe(tuple(arguments), os.environ, path)
    except TfeventsError as error:
        return complain(str(error), error.exit_code)
    except OSError as error:
        return complain(f"can't run {error.filename or 'it'}: {error.strerror}", 126)


def complain(message: str, exit_code: int) -> int:
    """One line, and the code to leave with."""
    sys.stderr.write(f"tfevents: {message}\n")
    return exit_code


def off() -> bool:
    """Whether reporting is switched off altogether."""
    return os.environ.get("TFEVENTS_DISABLED", "").lower() in ON


def reported(arguments: list[str]) -> bool:
    """Whether this is a command that is reported, and no question for its help."""
    for word in arguments:
        if not word.startswith("-"):
            return word in REPORTED and not set(HELP) & set(arguments)
        if not word.startswith("-chdir="):
            return False
    return False


def wanted() -> str | None:
    """The provisioner that is asked for: by the environment, or by a settings file that says so."""
    if given := os.environ.get("TFEVENTS_PROVISIONER", "").strip():
        return given
    return _filed() if _mentioned() else None


def _mentioned() -> bool:
    """Whether a settings file near here names a provisioner: most say nothing of it, and parsing
    one is for those that do."""
    place = os.getcwd()
    while True:
        if _says(os.path.join(place, ".tfevents.hcl")):
            return True
        above = os.path.dirname(place)
        if above == place or os.path.exists(os.path.join(place, ".git")):
            break
        place = above
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return _says(os.path.join(config, "tfevents", "config.hcl"))


def _says(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"provisioner" in file.read(1 << 20)
    except OSError:
        return False


def _filed() -> str | None:
    from tfevents.projectfile import find_values
    from tfevents.settings import find_home

    try:
        return find_values(os.environ, os.getcwd(), "default", find_home(os.environ)).get(
            "provisioner"
        )
    except TfeventsError:
        return None  # said where the settings are read; terraform runs all the same


if __name__ == "__main__":
    sys.exit(main())
