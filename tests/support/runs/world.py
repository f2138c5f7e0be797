"""Random configurations that keep changing, and changes that are made outside terraform."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from textwrap import indent

from support.files import REQUIRED

KEYS = (
    "one",
    "two",
    "three",
    "x: applying the planned Create change",
    "y: Creation complete after 0s",
    'q"uote\\d',
    "line\nbreak",
    "${dollar} %{percent}",
    'vertex "files_object.a" error: boom',
    "z (destroy deposed 12345678)",
    "z (destroy)",
    "w deposed object 12345678",
    "data.b.c",
    "ümläut ☃",
    "[1].[0]",
)
SHORT = "substr(md5(each.key), 0, 6)"
"""An expression for a path that stands for a key."""
WORDS = ("create", "half", "update", "refuse", "delete", "late")
"""Operations that the provider may be told to fail (`read` seldom: it fails the whole plan)."""


@dataclass(frozen=True)
class Dialect:
    """Which features an engine's language has."""

    product: str
    version: tuple[int, int]

    @property
    def removed(self) -> bool:
        """Whether it has `removed` blocks."""
        return self.version >= (1, 7)

    @property
    def removed_destroys(self) -> bool:
        """Whether it has `removed` blocks that may destroy."""
        return self.removed and (self.product == "Terraform" or self.version >= (1, 11))

    @property
    def keeps(self) -> bool:
        """Whether a resource may have `lifecycle { destroy = false }`."""
        return self.product == "OpenTofu" and self.version >= (1, 12)

    @property
    def excludes(self) -> bool:
        """Whether it has `-exclude`."""
        return self.product == "OpenTofu" and self.version >= (1, 9)

    @property
    def enables(self) -> bool:
        """Whether a resource may have `lifecycle { enabled = false }`."""
        return self.product == "OpenTofu" and self.version >= (1, 11)

    @property
    def imports_many(self) -> bool:
        """Whether it has `import` blocks with `for_each`."""
        return self.version >= (1, 7)

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags that only this engine has, for plan and apply; not `-concise`, which hides part of
        its output."""
        old = self.product == "Terraform" or self.version < (1, 7)
        return () if old else ("-show-sensitive",)


@dataclass
class Item:
    """A resource block. `keys`: None is a single instance, a number is `count`, names are
    `for_each`."""

    name: str
    type: str = "files_object"
    module: bool = False
    keys: int | list[str] | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    lifecycle: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    file: str = ""
    """The path of an imported object; empty for one made of the name."""

    @property
    def place(self) -> str:
        """Its address within its module."""
        return f"{self.type}.{self.name}"

    def text(self) -> str:
        lines = [f'resource "{self.type}" "{self.name}" {{']
        if isinstance(self.keys, int):
            lines.append(f"  count = {self.keys}")
        elif self.keys is not None:
            lines.append(f"  for_each = toset([{', '.join(map(quote, self.keys))}])")
        if self.type == "files_object":
            lines.append(f"  path = {self._path()}")
        lines += [f"  {name} = {value}" for name, value in self.attributes.items()]
        lines += [indent(block, "  ") for block in self.blocks]
        if self.lifecycle:
            lines += ["  lifecycle {", *(indent(rule, "    ") for rule in self.lifecycle), "  }"]
        return "\n".join([*lines, "}", ""])

    def _path(self) -> str:
        if self.file:
            return quote(self.file)
        part = "-${count.index}" if isinstance(self.keys, int) else ""
        part = f"-${{{SHORT}}}" if isinstance(self.keys, list) else part
        return f'"${{var.k}}{self.name}{part}.txt"'


@dataclass
class World:
    """A configuration and its history; every choice is made by `chance`."""

    chance: random.Random
    dialect: Dialect
    items: list[Item] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    """`moved`, `removed` and `import` blocks."""
    modules: int | list[str] | None = None
    chosen: str = ""
    """The value of `v` in an .auto.tfvars file; empty for none."""
    nested: bool = False
    """Whether the module calls another one."""
    secrets: bool = False
    """Whether an attribute may be sensitive by its schema, not only by a variable. With both,
    Terraform before 1.12 finds changes where there are none (hashicorp/terraform#35117)."""
    named: int = 0
    imported: list[str] = field(default_factory=list)
    """Files that must exist before the next run."""

    def begin(self) -> None:
        self.modules = self.chance.choice([None, None, 2, ["m1", self.chance.choice(KEYS)]])
        self.secrets = self.chance.random() < 0.5
        self.nested = self.chance.random() < 0.3
        for _ in range(self.chance.randint(2, 4)):
            self.add()
        for _ in range(self.chance.randint(1, 3)):
            self.change_output()

    def edit(self) -> None:
        """Makes one to three random changes."""
        moves = [self.add, self.change, self.change, self.change, self.drop, self.rename]
        moves += [self.bring, self.change_output, self.change_output, self.change_keys]
        moves += [self.change_data, self.change_check, self.change_lifecycle, self.forget_history]
        moves += [self.collide, self.move_key, self.change_modules, self.set_variable]
        moves += [self.bring_many]
        for move in self.chance.choices(moves, k=self.chance.randint(1, 3)):
            move()

    def files(self) -> dict[str, str]:
        """The whole configuration, by file name."""
        root = [REQUIRED, VARIABLES, *self.history, *self.data, *self.checks]
        root += [item.text() for item in self.items if not item.module]
        root += [f'output "{name}" {{\n{text}\n}}\n' for name, text in self.outputs.items()]
        inner = [REQUIRED, VARIABLES, *(item.text() for item in self.items if item.module)]
        inner += [NESTED] if self.nested else []
        texts = {"main.tf": "\n".join([*root, self._call()]), "m/main.tf": "\n".join(inner)}
        texts["v.auto.tfvars"] = f"v = {quote(self.chosen)}\n" if self.chosen else ""
        return {**texts, "m/n/main.tf": DEEP} if self.nested else texts

    def _call(self) -> str:
        each, key = "", '"m-"'
        if isinstance(self.modules, int):
            each, key = f"  count = {self.modules}\n", '"m${count.index}-"'
        elif self.modules is not None:
            each = f"  for_each = toset([{', '.join(map(quote, self.modules))}])\n"
            key = f'"m${{{SHORT}}}-"'
        return f'module "m" {{\n  source = "./m"\n{each}  v = var.v\n  k = {key}\n}}\n'

    def add(self) -> None:
        self.named += 1
        chance = self.chance
        item = Item(f"r{self.named}", module=chance.random() < 0.25)
        if chance.random() < 0.15:
            item.type = "terraform_data"
        item.keys = chance.choice([None, None, None, 2, chance.sample(KEYS, 2)])
        self.items.append(item)
        self.fill(item)
        if chance.random() < 0.35:
            self.change_lifecycle(item)
        if chance.random() < 0.15:
            item.blocks.append(provisioner(item.name))
        if chance.random() < 0.08:
            item.blocks.append(provisioner(item.name, destroys=True))

    def fill(self, item: Item) -> None:
        """Sets other values for the attributes."""
        chance = self.chance
        if item.type == "terraform_data":
            item.attributes["input"] = self.value(item)
            if chance.random() < 0.3:
                item.attributes["triggers_replace"] = quote(chance.choice("abc"))
            return
        item.attributes["content"] = self.value(item)
        if chance.random() < 0.25:
            item.attributes["kind"] = quote(chance.choice("abc"))
        if self.secrets and chance.random() < 0.2:
            item.attributes["secret"] = quote(chance.choice("abc"))
        if chance.random() < 0.1:
            item.attributes["labels"] = chance.choice(["{}", '{ a = "b" }', "null"])

    def value(self, item: Item) -> str:
        """A random expression for a text, often an attribute of another object."""
        chance = self.chance
        if chance.random() < 0.4:
            return chance.choice(
                ['"same"', '"diff"', '"${var.v}-val"', "var.v", '"longer text"', "var.s"]
            )
        others = [
            other
            for other in self.items[: self.items.index(item)]
            if other.module == item.module and other.keys is None
        ]
        if not others:
            return quote(chance.choice(["aaaa", "bbbb", "c"]))
        other = chance.choice(others)
        if other.type == "terraform_data":
            return f'"${{{other.place}.output}}"'
        return f'"${{{other.place}.{chance.choice(["length", "length", "id", "content"])}}}"'

    def pick(self) -> Item | None:
        return self.chance.choice(self.items) if self.items else None

    def change(self) -> None:
        if item := self.pick():
            self.fill(item)

    def change_lifecycle(self, item: Item | None = None) -> None:
        item = item or self.pick()
        if item is None:
            return
        rules = [
            "create_before_destroy = true",
            'precondition {\n  condition = var.v != "p"\n error_message = "no p"\n}',
        ]
        if item.type == "files_object":
            rules += [
                "ignore_changes = [content]",
                'postcondition {\n condition = self.length < 6\n error_message = "too long"\n}',
            ]
        if self.dialect.keeps:
            rules.append("destroy = false")
        if self.dialect.enables and item.keys is None:
            rules.append(self.chance.choice(["enabled = false", 'enabled = var.v != "b"']))
        rules += self._rules_of_others(item)
        item.lifecycle = self.chance.sample(rules, self.chance.randint(0, 2))

    def _rules_of_others(self, item: Item) -> list[str]:
        """Rules about other resources: `replace_triggered_by`; `prevent_destroy` seldom, since it
        fails many runs."""
        rules = ["prevent_destroy = true"] if self.chance.random() < 0.1 else []
        others = [o for o in self.items[: self.items.index(item)] if o.module == item.module]
        if others:
            other = self.chance.choice(others)
            what = ".length" if other.type == "files_object" and other.keys is None else ""
            rules.append(f"replace_triggered_by = [{other.place}{what}]")
        return rules

    def drop(self) -> None:
        """Removes a resource from the configuration: it is destroyed or, by a `removed` block,
        maybe forgotten."""
        item = self.pick()
        if item is None or len(self.items) < 2:
            return
        self.items.remove(item)
        self._unrefer(item)
        if self.dialect.removed and self.chance.random() < 0.5:
            rule = ""
            if self.dialect.removed_destroys or self.dialect.product == "Terraform":
                rule = (
                    f"  lifecycle {{\n    destroy = {self.chance.choice(['true', 'false'])}\n  }}\n"
                )
            self.history.append(f"removed {{\n  from = {self._full(item)}\n{rule}}}\n")

    def _full(self, item: Item) -> str:
        return f"module.m.{item.place}" if item.module else item.place

    def _unrefer(self, gone: Item, now: str = "") -> None:
        """Removes all references to a resource, or makes them refer to `now` if that is given."""
        for item in self.items:
            for name, value in item.attributes.items():
                if f"{gone.place}." in value and item.module == gone.module:
                    kept = value.replace(f"{gone.place}.", f"{now}.")
                    item.attributes[name] = kept if now else '"orphan"'
            if item.module == gone.module:
                named = re.compile(rf"{re.escape(gone.place)}\b")
                item.lifecycle = [rule for rule in item.lifecycle if not named.search(rule)]
        if not gone.module:
            for name, text in self.outputs.items():
                if f"{gone.place}." in text:
                    kept = text.replace(f"{gone.place}.", f"{now}.")
                    self.outputs[name] = kept if now else "  value = null"
            self.data = [text for text in self.data if f"{gone.place}." not in text]
            self.checks = [text for text in self.checks if f"{gone.place}." not in text]
            self._tidy_outputs()

    def _tidy_outputs(self) -> None:
        known = "".join(self.data)
        for name, text in self.outputs.items():
            if (
                "data.files_object." in text
                and text.split("data.files_object.")[1][:2] not in known
            ):
                self.outputs[name] = '  value = "no data"'

    def rename(self) -> None:
        """Gives a resource another name or module, and adds the `moved` block that says so."""
        item = self.pick()
        if item is None or item.type != "files_object":
            return
        old, was = self._full(item), Item(item.name, item.type, item.module)
        self.named += 1
        item.name = f"n{self.named}"
        if self.chance.random() < 0.5 and not item.file:
            item.file = ""  # the path contains the name: moved and replaced
        elif item.keys is None and not item.module:
            item.file = item.file or f"{was.name}.txt"
        into = self.chance.random() < 0.2 and self.modules is None and not item.module
        if into and not self._referred(was):
            item.module = True
            item.attributes = {
                n: v
                for n, v in item.attributes.items()
                if "files_object." not in v and "terraform_data." not in v
            }
        self._unrefer(was, "" if item.module != was.module else item.place)
        self.history.append(f"moved {{\n  from = {old}\n  to   = {self._full(item)}\n}}\n")

    def collide(self) -> None:
        """Removes a resource, and adds a `moved` block to an address that has an object already."""
        single = [i for i in self.items if i.type == "files_object" and i.keys is None]
        if len(single) < 2:
            return
        gone, stays = self.chance.sample(single, 2)
        self.items.remove(gone)
        self._unrefer(gone)
        to = self._full(stays)
        self.history.append(f"moved {{\n  from = {self._full(gone)}\n  to   = {to}\n}}\n")

    def move_key(self) -> None:
        """Moves one instance from its key to another one, free or not, or to none at all."""
        keyed = [i for i in self.items if isinstance(i.keys, list) and not i.blocks]
        if not keyed:
            return
        item = self.chance.choice(keyed)
        assert isinstance(item.keys, list)
        was, now = self.chance.choice(item.keys), self.chance.choice([*KEYS, ""])
        rest = [key for key in item.keys if key not in (was, now)]
        item.keys = [*rest, now] if now else None
        place = self._full(item)
        to = f"{place}[{quote(now)}]" if now else place
        if now != was:
            self.history.append(f"moved {{\n  from = {place}[{quote(was)}]\n  to   = {to}\n}}\n")

    def _referred(self, item: Item) -> bool:
        return any(f"{item.place}." in v for i in self.items for v in i.attributes.values())

    def change_modules(self) -> None:
        """Changes how often the module is called; the first or only instance may be moved."""
        was, now = self.modules, self.chance.choice([None, 1, 2, ["m1", "m2"], ["m1"]])
        self.modules = now
        if was is None and now is not None and self.chance.random() < 0.7:
            key = "0" if isinstance(now, int) else quote(now[0])
            self.history.append(f"moved {{\n  from = module.m\n  to   = module.m[{key}]\n}}\n")

    def set_variable(self) -> None:
        self.chosen = self.chance.choice(["", "", "a", "b"])

    def bring_many(self) -> None:
        """Imports two objects that exist already, by one block."""
        if not self.dialect.imports_many:
            return
        self.named += 1
        item = Item(f"i{self.named}", keys=["one", "two"])
        item.attributes["content"] = quote(self.chance.choice(["found", "else"]))
        self.items.append(item)
        for key in ("one", "two"):
            self.imported.append(f"{item.name}-{md5(key.encode()).hexdigest()[:6]}.txt")
        each = '  for_each = toset(["one", "two"])\n'
        which = f'  to = {item.place}[each.key]\n  id = "{item.name}-${{{SHORT}}}.txt"\n'
        self.history.append(f"import {{\n{each}{which}}}\n")

    def bring(self) -> None:
        """Imports an object that exists already; if its `kind` is set, it is replaced at once."""
        self.named += 1
        item = Item(f"i{self.named}", file=f"there{self.named}.txt")
        item.attributes["content"] = quote(self.chance.choice(["found", "else"]))
        if self.chance.random() < 0.4:
            item.attributes["kind"] = '"k"'
        self.items.append(item)
        self.imported.append(item.file)
        self.history.append(f'import {{\n  to = {item.place}\n  id = "{item.file}"\n}}\n')

    def change_keys(self) -> None:
        item = self.pick()
        if item is None or item.file or item.blocks:
            return
        was = item.keys
        item.keys = self.chance.choice([None, 1, 2, 3, self.chance.sample(KEYS, 2)])
        if item.keys is not None:
            self._unrefer(item)
        if was is None and isinstance(item.keys, list) and self.chance.random() < 0.7:
            to = f"{self._full(item)}[{quote(item.keys[0])}]"
            self.history.append(f"moved {{\n  from = {self._full(item)}\n  to   = {to}\n}}\n")

    def forget_history(self) -> None:
        """Removes `moved`, `removed` and `import` blocks that have been applied."""
        if self.chance.random() < 0.5:
            self.history.clear()

    def change_output(self) -> None:
        chance = self.chance
        name = f"o{chance.randint(1, 4)}"
        values = ['"text"', "null", "var.v", "[1, 2]", 'toset(["1", "2"])', 'sensitive("text")']
        values += ['var.v == "b" ? null : "there"', "{ a = null }", '"${var.v}"', '"text"']
        single = [i for i in self.items if i.keys is None and not i.module]
        values += [
            f"{i.place}.{'output' if i.type == 'terraform_data' else 'length'}"
            for i in single
            for _ in range(3)
        ]
        values += [f"data.files_object.{text.split(chr(34))[3]}.content" for text in self.data] * 2
        text = f"  value = {chance.choice(values)}"
        if chance.random() < 0.3 or "sensitive(" in text:
            text += "\n  sensitive = true"
        if chance.random() < 0.1:
            text += '\n  precondition {\n    condition = var.v != "p"\n    error_message = "p"\n  }'
        if name in self.outputs and chance.random() < 0.25:
            del self.outputs[name]
        else:
            self.outputs[name] = text

    def change_data(self) -> None:
        self.named += 1
        single = [i for i in self.items if i.keys is None and not i.module and i.type[0] == "f"]
        path = f"{self.chance.choice(single).place}.id" if single else '"seed.txt"'
        path = self.chance.choice([path, path, '"seed.txt"'])
        if self.data and self.chance.random() < 0.3:
            self.data.pop()
        else:
            name, waits = f"d{self.named % 10}", ""
            if single and self.chance.random() < 0.2:  # read while applying
                waits = f"  depends_on = [{self.chance.choice(single).place}]\n"
            self.data.append(f'data "files_object" "{name}" {{\n  path = {path}\n{waits}}}\n')
        self.data = list({text.split('"')[3]: text for text in self.data}.values())
        self._tidy_outputs()

    def change_check(self) -> None:
        single = [i for i in self.items if i.keys is None and not i.module and i.type[0] == "f"]
        condition = f"{self.chance.choice(single).place}.length < 6" if single else 'var.v == "a"'
        text = f'  assert {{\n    condition = {condition}\n    error_message = "check"\n  }}\n'
        read = '  data "files_object" "c" {\n    path = "seed.txt"\n  }\n'
        text += read if self.chance.random() < 0.3 else ""
        self.checks = [f'check "c" {{\n{text}}}\n'] if self.chance.random() < 0.7 else []


VARIABLES = """\
variable "v" {
  default = "a"
}
variable "k" {
  default = ""
}
variable "s" {
  default   = "hush"
  sensitive = true
}
"""
NESTED = 'module "n" {\n  source = "./n"\n  v      = var.v\n}\n'
DEEP = """\
variable "v" {
}
resource "terraform_data" "deep" {
  input = var.v
}
output "deep" {
  value = terraform_data.deep.output
}
"""


def provisioner(name: str, *, destroys: bool = False) -> str:
    """A provisioner that fails while a file exists."""
    when = "  when = destroy\n" if destroys else ""
    flag = f"{name}.{'undestroyed' if destroys else 'unprovisioned'}"
    return f'provisioner "local-exec" {{\n{when}  command = "echo hello; test ! -e {flag}"\n}}'


def quote(text: str) -> str:
    """A text as an HCL string literal."""
    escaped = json.dumps(text, ensure_ascii=False)
    return escaped.replace("${", "$${").replace("%{", "%%{")


def trouble(
    chance: random.Random, world: World, paths: list[str]
) -> Iterator[tuple[str, str | None]]:
    """Files that make something fail, by name; None removes the file."""
    configured = {item.file or f"{item.name}.txt" for item in world.items}
    for path in sorted({*paths, *configured}):
        words = " ".join(chance.sample(WORDS, 3)) if chance.random() < 0.2 else None
        yield f"{path}.trouble", "read" if chance.random() < 0.01 else words
    for item in world.items:
        for flag in ("unprovisioned", "undestroyed"):
            yield f"{item.name}.{flag}", "" if chance.random() < 0.3 else None


def drift(chance: random.Random, state: Path) -> Iterator[tuple[str, str | None]]:
    """Changes of objects made outside terraform: files with other contents, or None for a deleted
    one."""
    for resource in json.loads(state.read_text())["resources"] if state.exists() else ():
        if resource["type"] != "files_object" or resource["mode"] != "managed":
            continue
        for instance in resource["instances"]:
            name = (instance.get("attributes") or {}).get("id")
            if name and chance.random() < 0.3:
                kinds = [(name, None), (name, "drifted"), (name, "xxxx")]
                yield chance.choice([*kinds, (f"{instance['attributes']['path']}.noise", "")])
