"""argv and TF_CLI_ARGS* → what was asked of terraform.

Flags as terraform reads them (Go's `flag`: `-x`, `--x`, `-x=v`, `-x v`; the first word that is no
flag ends them), merged as terraform merges the environment (main.go, mergeEnvArgs): TF_CLI_ARGS,
then TF_CLI_ARGS_<command>, then the command line, the last one wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tfevents.plan import Mode

REPORTED = frozenset({"plan", "apply", "destroy", "refresh", "import"})
HELP = frozenset({"-h", "-help", "--help"})

SHARED = frozenset({"lock", "input", "no-color", "compact-warnings", "json", "concise"})
PLANNING = frozenset({"destroy", "refresh-only", "refresh", "minimal-refresh", "allow-deferral"})
APPLYING = frozenset({"auto-approve", "suppress-forget-errors"})
BOOLEANS = (
    SHARED
    | PLANNING
    | APPLYING
    | {"detailed-exitcode", "consolidate-warnings", "consolidate-errors", "show-sensitive"}
    | {"allow-missing-config", "ignore-remote-version"}
)
VARIABLES = frozenset({"var", "var-file"})
STATE = frozenset({"state", "state-out", "backup"})
TARGETS = frozenset({"target", "target-file", "exclude", "exclude-file"})
PLANNING_VALUES = TARGETS | {"replace", "invoke"}
SHARED_VALUES = STATE | {"lock-timeout", "parallelism", "deprecation", "json-into"}
VALUED = (
    VARIABLES
    | PLANNING_VALUES
    | SHARED_VALUES
    | {"out", "generate-config-out", "config", "provider"}
)
# What plan takes and apply does not: terraform shall say so itself.
NOT_OF_APPLY = frozenset({"out", "detailed-exitcode", "generate-config-out", "config", "provider"})

TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


@dataclass(frozen=True)
class Flag:
    """One flag as it was given; a boolean without a value has None."""

    name: str
    value: str | None
    tokens: tuple[str, ...]

    @property
    def on(self) -> bool:
        """A boolean's value; without one it is true."""
        return self.value is None or self.value in TRUE

    @property
    def valid(self) -> bool:
        """Whether terraform would take it: a known name, with a value that fits."""
        if self.name in BOOLEANS:
            return self.value is None or self.value in TRUE | FALSE
        return self.name in VALUED and self.value is not None and self._number_valid()

    def _number_valid(self) -> bool:
        return self.name != "parallelism" or (self.value or "").lstrip("+-").isdigit()


@dataclass(frozen=True)
class Invocation:
    """One command line for the provisioner.

    `options`: what stands before the subcommand (`-chdir=DIR`). `own`: what stands behind it.
    `merged`: the same with TF_CLI_ARGS* before it. `sure`: whether the environment's arguments
    could be read the way terraform reads them.
    """

    command: str
    options: tuple[str, ...]
    own: tuple[str, ...]
    merged: tuple[str, ...]
    sure: bool = True

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """The flags in the order in which terraform sees them."""
        return tuple(_flags(self.merged))

    @cached_property
    def positional(self) -> tuple[str, ...]:
        """What is behind the flags; `-no-color` is taken anywhere."""
        used = sum(len(flag.tokens) for flag in self.flags)
        rest = self.merged[used:]
        rest = rest[1:] if rest[:1] == ("--",) else rest
        return tuple(word for word in rest if word not in ("-no-color", "--no-color"))

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
    def color(self) -> bool:
        """Terraform colours unless told not to, terminal or not."""
        return not {"-no-color", "--no-color"} & set(self.merged) and not self.on("no-color")

    @property
    def chdir(self) -> str:
        """The directory that terraform works in, relative to ours."""
        return next((o.partition("=")[2] for o in self.options if o.startswith("-chdir=")), ".")

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
        return (*kinds, *(("refresh=false",) if unrefreshed else ()))

    @property
    def splits(self) -> bool:
        """Whether terraform takes every flag in either half of a split, and in the same words."""
        given = self.names()
        twice = given & {"destroy", "refresh-only"}
        return (
            self.sure
            and not self.positional
            and all(flag.valid for flag in self.flags)
            and not given & (NOT_OF_APPLY | {"json-into"})
            and not (twice and self.command == "destroy")
            and len(twice) < 2
        )

    def with_flag(self, *flags: str) -> list[str]:
        """The same command line with flags of ours before the user's own."""
        return [*self.options, self.command, *flags, *self.own]

    def plan_half(self, out: str) -> list[str]:
        """`plan -out` of a split run. Its exit code tells whether there is a change."""
        destroy = ["-destroy"] if self.command == "destroy" else []
        kept = _tokens(flag for flag in self.flags if flag.name not in APPLYING)
        ours = [f"-out={out}", "-detailed-exitcode", *destroy]
        return [*self.options, "plan", *ours, *kept, *self._no_color()]

    def apply_half(self, plan_file: str, *, variables: bool) -> list[str]:
        """`apply PLANFILE`. Terraform 1.10 and later want the same `variables` again (semantics
        §4.3), older ones refuse them."""
        dropped = (PLANNING - {"input"}) | PLANNING_VALUES | {"auto-approve"}
        dropped = dropped if variables else dropped | VARIABLES
        kept = _tokens(flag for flag in self.flags if flag.name not in dropped)
        return [*self.options, "apply", *kept, *self._no_color(), plan_file]

    def _no_color(self) -> list[str]:
        return [] if self.color or self.on("no-color") else ["-no-color"]


def _tokens(flags: Iterator[Flag]) -> list[str]:
    return [token for flag in flags for token in flag.tokens]


def parse(argv: tuple[str, ...], env: Mapping[str, str]) -> Invocation | None:
    """The invocation of a reported command; None where terraform shall see to it alone."""
    at = next((i for i, word in enumerate(argv) if not word.startswith("-")), len(argv))
    options, command, own = argv[:at], argv[at : at + 1], argv[at + 1 :]
    if not all(option.startswith("-chdir=") for option in options):
        return None
    if not command or command[0] not in REPORTED:
        return None
    inherited = [env.get(name, "") for name in ("TF_CLI_ARGS", f"TF_CLI_ARGS_{command[0]}")]
    try:
        merged = (*_words(" ".join(inherited)), *own)
    except ValueError:
        return None  # terraform says what is wrong with it
    sure = not set("".join(inherited)) & set(";|&<>`$()")
    return Invocation(command[0], options, own, merged, sure)


def _words(text: str) -> list[str]:
    if not text.strip():
        return []
    import shlex  # the environment is rarely set, and `re` costs start-up time

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
