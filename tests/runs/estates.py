"""Random configurations of terraform_data, and what happens to them from one step to the next."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

KEYS = (
    "a",
    "x: applying the planned Create change",
    'q"uo te',
    "${n}",
    "%{n}",
    "tab\tnew\nline",
    "é\u200b\u0007",
    "] (destroy)",
    "module.m.terraform_data.r0",
)
FAILS = '  provisioner "local-exec" {\n    command = "exit 3"\n  }\n'
FAILS_TO_GO = '  provisioner "local-exec" {\n    when    = destroy\n    command = "exit 3"\n  }\n'
FIRST = "  lifecycle {\n    create_before_destroy = true\n  }\n"
CHECKED = (
    "  lifecycle {\n    postcondition {\n"
    '      condition     = self.input != "3"\n      error_message = "no"\n    }\n  }\n'
)
VALUES = ('"1"', '"2"', '"3"', "null", '["1"]', 'tolist(["1"])', '{ k = "1" }')


@dataclass
class Thing:
    """One resource block. `many`: nothing, `count` or `for_each`."""

    name: str
    value: str
    replaced_by: bool
    many: str
    size: int
    extra: str
    module: bool

    @property
    def address(self) -> str:
        """What `-target` takes."""
        return f"{'module.m.' if self.module else ''}terraform_data.{self.name}"

    def block(self, fails: str) -> str:
        keys = ", ".join(_quoted(key) for key in KEYS[: self.size])
        many = {
            "count": f"  count = {self.size}\n",
            "for_each": f"  for_each = toset([{keys}])\n",
        }.get(self.many, "")
        attribute = "triggers_replace" if self.replaced_by else "input"
        value = f"  {attribute} = {self.value}\n"
        return f'resource "terraform_data" "{self.name}" {{\n{many}{value}{self.extra}{fails}}}\n'


@dataclass
class Estate:
    """A configuration that changes. `blocks`: moved, removed and import blocks of this step."""

    rng: random.Random
    version: tuple[int, int]
    things: list[Thing] = field(default_factory=list)
    outputs: dict[str, tuple[str, bool]] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    made: int = 0

    def change(self) -> None:
        """What somebody edits between two runs."""
        rng = self.rng
        self.blocks = []
        for _ in range(rng.randrange(1, 4)):
            rng.choice(
                [self._add, self._alter, self._drop, self._rename, self._tell, self._import]
            )()
        self.failing = {t.name for t in self.things if rng.random() < 0.15}

    def _new(self) -> Thing:
        rng, self.made = self.rng, self.made + 1
        return Thing(
            name=f"r{self.made}",
            value=rng.choice(VALUES),
            replaced_by=rng.random() < 0.3,
            many=rng.choice(["", "", "count", "for_each"]),
            size=rng.randrange(1, len(KEYS) + 1),
            extra=rng.choice(["", "", "", FIRST, CHECKED, FAILS_TO_GO]),
            module=rng.random() < 0.25,
        )

    def _add(self) -> None:
        self.things.append(self._new())

    def _alter(self) -> None:
        for thing in self.things[:]:
            if self.rng.random() < 0.5:
                thing.value = self.rng.choice(VALUES)
                thing.size = self.rng.randrange(1, len(KEYS) + 1)
                if thing.extra == FAILS_TO_GO:
                    thing.extra = self.rng.choice(["", FAILS_TO_GO])

    def _drop(self) -> None:
        if not self.things:
            return
        thing = self.things.pop(self.rng.randrange(len(self.things)))
        if self.version >= (1, 7) and self.rng.random() < 0.5 and not thing.module:
            kept = "  lifecycle {\n    destroy = false\n  }\n"
            self.blocks.append(f"removed {{\n  from = {thing.address}\n{kept}}}\n")

    def _rename(self) -> None:
        if not self.things:
            return
        thing, old = self.rng.choice(self.things), ""
        old, self.made = thing.address, self.made + 1
        thing.name = f"r{self.made}"
        if not thing.module:
            self.blocks.append(f"moved {{\n  from = {old}\n  to   = {thing.address}\n}}\n")

    def _import(self) -> None:
        if self.version < (1, 5):
            return
        thing = self._new()
        thing.many, thing.module = "", False
        self.things.append(thing)
        self.blocks.append(f'import {{\n  to = {thing.address}\n  id = "imported"\n}}\n')

    def _tell(self) -> None:
        name = f"o{self.rng.randrange(3)}"
        if self.outputs.pop(name, None) is None or self.rng.random() < 0.7:
            ids = [f"{t.address}.id" for t in self.things if not (t.many or t.module)]
            value = self.rng.choice([*VALUES, *ids])
            self.outputs[name] = (value, self.rng.random() < 0.3)

    def files(self) -> dict[str, str]:
        """The configuration as it stands."""
        known = {t.address for t in self.things}
        parts = {"": "", "m/": ""}
        for thing in self.things:
            fails = FAILS if thing.name in self.failing else ""
            parts["m/" if thing.module else ""] += thing.block(fails)
        told = ""
        for name, (value, sensitive) in self.outputs.items():
            there = "." not in value or value.removesuffix(".id") in known
            hidden = "  sensitive = true\n" if sensitive else ""
            told += f'output "{name}" {{\n  value = {value if there else "null"}\n{hidden}}}\n'
        call = 'module "m" {\n  source = "./m"\n}\n'
        return {
            "main.tf": 'variable "n" {\n  default = 1\n}\n'
            + parts[""]
            + call
            + told
            + "".join(self.blocks),
            "m/main.tf": parts["m/"],
        }


def _quoted(key: str) -> str:
    escapes = {'"': '\\"', "\t": "\\t", "\n": "\\n", "\u0007": "\\u0007", "\u200b": "\\u200b"}
    text = "".join(escapes.get(c, c) for c in key)
    return f'"{text.replace("${", "$${").replace("%{", "%%{")}"'


def choose_runs(estate: Estate) -> list[tuple[list[str], str]]:
    """The commands of one step, each with what is typed."""
    rng = estate.rng
    flags: list[str] = []
    if rng.random() < 0.25:
        flags.append(rng.choice(["-refresh=false", "-destroy", "-refresh-only", "-var=n=2"]))
    if estate.things and rng.random() < 0.25 and "-refresh-only" not in flags:
        kind = rng.choice(["-target", "-target", "-replace"])
        whole = [t for t in estate.things if kind == "-target" or not t.many]
        if whole and not (kind == "-replace" and flags == ["-destroy"]):
            flags.append(f"{kind}={rng.choice(whole).address}")
    typed = rng.choice(["yes\n", "yes\n", "no\n", ""])
    kind = rng.randrange(8)
    if kind < 3:
        return [(["apply", "-auto-approve", *flags], "")]
    if kind == 3:
        return [(["apply", *flags], typed)]
    if kind == 4:
        return [(["plan", "-out=p", *flags], ""), (["apply", "p"], "")]
    if kind == 5:
        return [(["plan", *flags, *rng.choice([[], ["-detailed-exitcode"]])], "")]
    if kind == 6:
        return [(["apply", "-json", "-auto-approve", *flags], "")]
    flags = [f for f in flags if f.startswith(("-target", "-refresh=", "-var"))]
    if rng.random() < 0.5:
        return [(["destroy", "-auto-approve", *flags], "")]
    return [(["destroy", *flags], typed)]
