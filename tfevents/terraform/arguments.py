"""Parses a command line and TF_CLI_ARGS* into what was asked of terraform.

Flags are read as terraform reads them (Go's `flag`: `-x`, `--x`, `-x=v`, `-x v`; the first word
that is not a flag ends the flags). The environment is merged as terraform merges it (main.go,
mergeEnvArgs): the words of each variable are inserted directly behind the subcommand, so those of
TF_CLI_ARGS_<command> precede those of TF_CLI_ARGS, and both precede the command line. The last
occurrence of a flag wins.
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
"""The subcommands of Terraform and OpenTofu, including those that only older versions have."""
HELP = frozenset({"-h", "-help", "--help"})

VIEW = frozenset(
    {"-no-color", "-compact-warnings", "-concise", "-consolidate-warnings", "-consolidate-errors"}
)
"""Flags that terraform removes wherever they stand on the line, and only in exactly this spelling
(arguments/view.go); the last three are OpenTofu's."""

VARIABLES = frozenset({"var", "var-file"})
STATE = frozenset({"state", "state-out"})
"""Flags with which the run's state is in another file than `state pull` reads."""
TARGETS = frozenset({"target", "target-file", "exclude", "exclude-file"})
UNREFRESHED, PARTS = "refresh=false", frozenset({"target", "exclude"})
"""The reasons in `Arguments.partial_reasons` for a plan without refresh and for a plan of some
resources."""
VALUED = (
    VARIABLES
    | STATE
    | TARGETS
    | {"replace", "lock-timeout", "parallelism", "out", "generate-config-out", "config"}
    | {"provider", "json-into", "deprecation", "invoke", "backup"}
)
"""Every flag of a reported command that takes the next word as its value if it has no `=`."""

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
SHELL_CHARACTERS = frozenset(";|&<>`$()\\")
"""Characters in TF_CLI_ARGS* that terraform (go-shellwords) may read differently from shlex."""


class Mode(str, Enum):
    """Terraform's planning modes, named as in its documentation."""

    NORMAL = "normal"
    DESTROY = "destroy"
    REFRESH_ONLY = "refresh-only"


class Flag(NamedTuple):
    """One flag as it was given. `value`: None without one. `tokens`: the words it consists of."""

    name: str
    value: str | None
    tokens: tuple[str, ...]

    @property
    def on(self) -> bool:
        """The value of a boolean flag; a flag without a value is true."""
        return self.value is None or self.value in TRUE


class Arguments:
    """One command line for the provisioner.

    `options`: the words before the subcommand (`-chdir=DIR`). `own`: the words behind it. `merged`:
    `own`, preceded by the words of TF_CLI_ARGS*. `parsed_exactly`: whether TF_CLI_ARGS* was
    certainly parsed as terraform parses it.
    """

    def __init__(
        self,
        command: str,
        options: tuple[str, ...],
        own: tuple[str, ...],
        merged: tuple[str, ...],
        parsed_exactly: bool,
    ) -> None:
        self.command, self.options, self.own = command, options, own
        self.merged, self.parsed_exactly = merged, parsed_exactly

    @cached_property
    def _words(self) -> tuple[str, ...]:
        """`merged` without the view flags."""
        return tuple(word for word in self.merged if word not in VIEW)

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """The flags in the order in which terraform sees them."""
        return tuple(_iterate_flags(self._words))

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """The words behind the flags, without a leading `--`."""
        rest = self._words[sum(len(flag.tokens) for flag in self.flags) :]
        return rest[1:] if rest[:1] == ("--",) else rest

    def last(self, name: str) -> Flag | None:
        """The last occurrence of a flag, the one that terraform uses; None if not given."""
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)

    def on(self, name: str, default: bool = False) -> bool:
        """The value of a boolean flag, as terraform reads it; `default` if it was not given."""
        flag = self.last(name)
        return flag.on if flag else default

    def value(self, name: str) -> str | None:
        """The value of a flag; None if the flag was not given or has no value."""
        flag = self.last(name)
        return flag.value if flag else None

    def names(self) -> frozenset[str]:
        """The names of all flags that were given."""
        return frozenset(flag.name for flag in self.flags)

    @property
    def shows_help(self) -> bool:
        """Whether a help flag was given; terraform then shows its help and does nothing else."""
        return bool(HELP & set(self.merged))

    @property
    def chdir(self) -> str:
        """The directory of `-chdir`, in which terraform works; `.` without that option."""
        given = [o.partition("=")[2] for o in self.options if o.startswith("-chdir=")]
        return given[-1] if given else "."

    @property
    def mode(self) -> Mode:
        """The planning mode that the flags ask for; a saved plan's own mode is in its file."""
        if self.command == "destroy" or self.on("destroy"):
            return Mode.DESTROY
        return Mode.REFRESH_ONLY if self.on("refresh-only") else Mode.NORMAL

    @property
    def plan_file(self) -> str | None:
        """The saved plan file given to `apply`; None without one."""
        return self.positional[0] if self.command == "apply" and self.positional else None

    @property
    def partial_reasons(self) -> tuple[str, ...]:
        """What makes the plan cover less than everything: `target`, `exclude`, `refresh=false`."""
        kinds = sorted({name.removesuffix("-file") for name in self.names() & TARGETS})
        unrefreshed = not self.on("refresh", default=True)
        return (*kinds, *((UNREFRESHED,) if unrefreshed else ()))

    def with_flag(self, *flags: str) -> list[str]:
        """The same command line with these flags directly behind the subcommand."""
        return [*self.options, self.command, *flags, *self.own]


def parse_arguments(argv: tuple[str, ...], env: Mapping[str, str]) -> Arguments | None:
    """Parses the command line of a reported command.

    None if the run is not to be reported: another command, another option than `-chdir` before the
    command, or TF_CLI_ARGS* that can't be parsed.
    """
    at = next((i for i, word in enumerate(argv) if not word.startswith("-")), len(argv))
    options, command, own = argv[:at], argv[at : at + 1], argv[at + 1 :]
    if not all(option.startswith("-chdir=") for option in options):
        return None
    if not command or command[0] not in REPORTED:
        return None
    inherited = [env.get(name, "") for name in (f"TF_CLI_ARGS_{command[0]}", "TF_CLI_ARGS")]
    try:
        merged = (*(word for text in inherited for word in _split_words(text)), *own)
    except ValueError:
        return None  # terraform itself reports the syntax error
    exactly = not SHELL_CHARACTERS & set("".join(inherited))
    return Arguments(command[0], options, own, merged, exactly)


def is_inherited(path: str, env: Mapping[str, str]) -> bool:
    """Whether TF_CLI_ARGS* of any command names a file with the base name of `path`; also True if
    one of these variables can't be parsed."""
    texts = [text for name, text in env.items() if name.startswith("TF_CLI_ARGS")]
    try:
        words = [word for text in texts for word in _split_words(text)]
    except ValueError:  # it may name any file
        return True
    named = {word.rpartition("=")[2].rpartition("/")[2] for word in words}
    return path.rpartition("/")[2] in named


def _split_words(text: str) -> list[str]:
    if not text.strip():
        return []
    return shlex.split(text)


def _iterate_flags(words: tuple[str, ...]) -> Iterator[Flag]:
    """The flags at the beginning of `words`; a word that is not a flag, `-` or `--` ends them."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "--"):
        flag = _parse_flag(words[at : at + 2])
        at += len(flag.tokens)
        yield flag


def _parse_flag(words: tuple[str, ...]) -> Flag:
    """The flag that begins `words`, with the next word as its value if it takes one."""
    name, equals, value = words[0].lstrip("-").partition("=")
    if equals:
        return Flag(name, value, words[:1])
    if name in VALUED and len(words) > 1:
        return Flag(name, words[1], words)
    return Flag(name, None, words[:1])
