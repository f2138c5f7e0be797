"""How terraform and OpenTofu parse a command line, as far as the stand-in engine needs it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# which commands or engines have the flags, whether these take a value, their names
_TABLE = """
both   switch  compact-warnings destroy input json lock no-color refresh refresh-only
both   value   lock-timeout parallelism replace state target var var-file
plan   switch  detailed-exitcode
plan   value   generate-config-out out
apply  switch  auto-approve
apply  value   backup state-out
tofu   switch  concise consolidate-errors consolidate-warnings show-sensitive
tofu   value   deprecation exclude exclude-file json-into target-file
forget switch  suppress-forget-errors
show   switch  json no-color
other  switch  json no-color input upgrade reconfigure
other  value   backend-config
"""
_ROWS = [row.split() for row in _TABLE.strip().splitlines()]
_SWITCHES = {name for _, kind, *names in _ROWS if kind == "switch" for name in names}
_TRUE = ("", "1", "t", "true", "T", "TRUE", "True")


class Usage(Exception):
    """A command line that a real engine refuses before it does anything."""


@dataclass(frozen=True)
class Command:
    """One parsed command line, TF_CLI_ARGS* included; of repeated flags the last one is kept."""

    directory: str | None  # -chdir
    name: str  # "plan", "state pull", ""
    flags: Mapping[str, str]
    arguments: Sequence[str]

    def on(self, switch: str) -> bool:
        """Whether a boolean flag is given and true."""
        return switch in self.flags and self.flags[switch] in _TRUE


def read(words: Sequence[str], environ: Mapping[str, str], engine: str) -> Command:
    """Parses the words after the program's name; raises Usage."""
    rest, directory = list(words), None
    if rest and rest[0].startswith(("-chdir=", "--chdir=")):
        directory = rest.pop(0).partition("=")[2]
    name = rest.pop(0) if rest else ""
    if name in ("-version", "--version", "-v"):
        name = "version"
    if name in ("state", "workspace") and rest:
        name += " " + rest.pop(0)
    flags, arguments = _split(_merged(name, rest, environ), _known(name, engine))
    return Command(directory, name, flags, arguments)


def _merged(name: str, words: list[str], environ: Mapping[str, str]) -> list[str]:
    """The words of TF_CLI_ARGS_<command>, of TF_CLI_ARGS, then the user's: the last of repeated
    flags wins."""
    own = environ.get("TF_CLI_ARGS_" + name.replace(" ", "_"), "")
    return shlex.split(own) + shlex.split(environ.get("TF_CLI_ARGS", "")) + words


def _known(name: str, engine: str) -> set[str]:
    """The flags that a command of an engine accepts."""
    takers = {"plan": ["both", "plan"], "apply": ["both", "apply"], "show": ["show"]}
    takers["destroy"] = takers["apply"]
    who = takers.get(name, ["other"])
    if engine == "tofu":
        who = who + ["tofu"] + (["forget"] if name in ("apply", "destroy") else [])
    return {flag for taker, _, *flags in _ROWS if taker in who for flag in flags}


def _split(words: list[str], known: set[str]) -> tuple[dict[str, str], list[str]]:
    """Splits words into flags and arguments by Go's rule: flags end at the first word that is none,
    or at `--`. Raises Usage."""
    flags: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        flag, given, value = word.removeprefix("-").removeprefix("-").partition("=")
        if flag not in known:
            raise Usage(f"flag provided but not defined: -{flag}")
        if not given and flag not in _SWITCHES:
            if not rest:
                raise Usage(f"flag needs an argument: -{flag}")
            value = rest.pop(0)
        flags[flag] = value
    return flags, rest
