"""argv and TF_CLI_ARGS* → what was asked of terraform.

Flags as terraform reads them (Go's `flag`: `-x`, `--x`, `-x=v`, `-x v`; the first word that is no
flag ends them), merged as terraform merges the environment (main.go, mergeEnvArgs): each is put
right behind the subcommand, so TF_CLI_ARGS_<command> stands before TF_CLI_ARGS and both before the
command line. The last one wins.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cached_property
from typing import NamedTuple

REPORTED = frozenset({"plan", "apply", "destroy", "refresh", "import"})
SUBCOMMANDS = REPORTED | {
    *("init", "validate", "show", "output", "state", "version", "workspace", "providers", "env"),
    *("fmt", "force-unlock", "get", "graph", "login", "logout", "metadata", "modules", "taint"),
    *("untaint", "test", "query", "stacks", "cloud", "console", "push", "rpcapi"),
}
"""Terraform's and OpenTofu's, and what older versions had."""
HELP = frozenset({"-h", "-help", "--help"})

VIEW = frozenset(
    {"-no-color", "-compact-warnings", "-concise", "-consolidate-warnings", "-consolidate-errors"}
)
"""Taken out anywhere on the line, as these very words (arguments/view.go); the last three are
OpenTofu's."""

VARIABLES = frozenset({"var", "var-file"})
STATE = frozenset({"state", "state-out", "backup"})
TARGETS = frozenset({"target", "target-file", "exclude", "exclude-file"})
UNREFRESHED, PARTS = "refresh=false", frozenset({"target", "exclude"})
"""What makes a plan less than the whole, as `partial` says it."""
VALUED = (
    VARIABLES
    | STATE
    | TARGETS
    | {"replace", "lock-timeout", "parallelism", "out", "generate-config-out", "config"}
    | {"provider", "json-into", "deprecation", "invoke"}
)
"""Every flag of a reported command that takes the next word where there is no `=`."""

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
SHELL = frozenset(";|&<>`$()\\")
"""Where terraform's reading of TF_CLI_ARGS (go-shellwords) is its own."""


class Mode(str, Enum):
    """Terraform's planning modes, by the names its documentation gives them."""

    NORMAL = "normal"
    DESTROY = "destroy"
    REFRESH_ONLY = "refresh-only"


class Flag(NamedTuple):
    """One flag as it was given; a boolean without a value has None."""

    name: str
    value: str | None
    tokens: tuple[str, ...]

    @property
    def on(self) -> bool:
        """A boolean's value; without one it is true."""
        return self.value is None or self.value in TRUE


class Arguments:
    """One command line for the provisioner.

    `options`: what stands before the subcommand (`-chdir=DIR`). `own`: what stands behind it.
    `merged`: the same with TF_CLI_ARGS* before it. `sure`: whether the environment's arguments
    could be read the way terraform reads them.
    """

    def __init__(
        self,
        command: str,
        options: tuple[str, ...],
        own: tuple[str, ...],
        merged: tuple[str, ...],
        sure: bool,
    ) -> None:
        self.command, self.options, self.own = command, options, own
        self.merged, self.sure = merged, sure

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return tuple(word for word in self.merged if word not in VIEW)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """The flags in the order in which terraform sees them."""
        return tuple(_flags(self._words))

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """What is behind the flags."""
        rest = self._words[sum(len(flag.tokens) for flag in self.flags) :]
        return rest[1:] if rest[:1] == ("--",) else rest

    def last(self, name: str) -> Flag | None:
        """The flag that counts, since terraform lets the last one win."""
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)

    def on(self, name: str, default: bool = False) -> bool:
        """A boolean flag as terraform understands it."""
        flag = self.last(name)
        return flag.on if flag else default

    def value(self, name: str) -> str | None:
        """The value of a valued flag."""
        flag = self.last(name)
        return flag.value if flag else None

    def names(self) -> frozenset[str]:
        """Every flag that was given."""
        return frozenset(flag.name for flag in self.flags)

    @property
    def helps(self) -> bool:
        """Terraform shows its help whatever else is asked."""
        return bool(HELP & set(self.merged))

    @property
    def chdir(self) -> str:
        """The directory that terraform works in, relative to ours."""
        given = [o.partition("=")[2] for o in self.options if o.startswith("-chdir=")]
        return given[-1] if given else "."

    @property
    def mode(self) -> Mode:
        """The planning mode asked for; a saved plan's own is in its file."""
        if self.command == "destroy" or self.on("destroy"):
            return Mode.DESTROY
        return Mode.REFRESH_ONLY if self.on("refresh-only") else Mode.NORMAL

    @property
    def plan_file(self) -> str | None:
        """The saved plan that apply is given."""
        return self.positional[0] if self.command == "apply" and self.positional else None

    @property
    def partial(self) -> tuple[str, ...]:
        """What makes the plan less than the whole: `target`, `exclude`, `refresh=false`."""
        kinds = sorted({name.removesuffix("-file") for name in self.names() & TARGETS})
        unrefreshed = not self.on("refresh", default=True)
        return (*kinds, *((UNREFRESHED,) if unrefreshed else ()))

    def with_flag(self, *flags: str) -> list[str]:
        """The same command line with flags of ours before the user's own."""
        return [*self.options, self.command, *flags, *self.own]


def parse_arguments(argv: tuple[str, ...], env: Mapping[str, str]) -> Arguments | None:
    """The invocation of a reported command; None where terraform shall see to it alone."""
    at = next((i for i, word in enumerate(argv) if not word.startswith("-")), len(argv))
    options, command, own = argv[:at], argv[at : at + 1], argv[at + 1 :]
    if not all(option.startswith("-chdir=") for option in options):
        return None
    if not command or command[0] not in REPORTED:
        return None
    inherited = [env.get(name, "") for name in (f"TF_CLI_ARGS_{command[0]}", "TF_CLI_ARGS")]
    try:
        merged = (*(word for text in inherited for word in _words(text)), *own)
    except ValueError:
        return None  # terraform says what is wrong with it
    return Arguments(command[0], options, own, merged, not SHELL & set("".join(inherited)))


def is_inherited(path: str, env: Mapping[str, str]) -> bool:
    """Whether TF_CLI_ARGS* of any command names a file of that name."""
    texts = [text for name, text in env.items() if name.startswith("TF_CLI_ARGS")]
    try:
        words = [word for text in texts for word in _words(text)]
    except ValueError:  # whatever it names
        return True
    named = {word.rpartition("=")[2].rpartition("/")[2] for word in words}
    return path.rpartition("/")[2] in named


def _words(text: str) -> list[str]:
    if not text.strip():
        return []
    return shlex.split(text)


def _flags(words: tuple[str, ...]) -> Iterator[Flag]:
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "--"):
        flag = _flag(words[at : at + 2])
        at += len(flag.tokens)
        yield flag


def _flag(words: tuple[str, ...]) -> Flag:
    name, equals, value = words[0].lstrip("-").partition("=")
    if equals:
        return Flag(name, value, words[:1])
    if name in VALUED and len(words) > 1:
        return Flag(name, words[1], words)
    return Flag(name, None, words[:1])
