"""Random but reproducible estates of `terraform_data`: one seed is one change of infrastructure.

An estate is a configuration that is applied, edits of its state, another configuration, and the
flags of the plan. It uses no provider but the built-in one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

REMOVED_BLOCKS = (1, 7)

KEYS = (
    "a",
    "key with spaces",
    'quoted "key"',
    "two\nlines",
    "${template}",
    "%{ if x }",
    "$${",
    "a.b[0]",
    'data.x["y"].z',
    "back\\slash",
    "tab\t",
    "é",
    "\u200b",
    "\u0007",
    "😀",
    "",
)

VALUES = (
    "null",
    "true",
    "0",
    "-1",
    "0.1",
    "1.5",
    "1e-7",
    "3.0000000000000000000000000001",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "1e30",
    "123456789012345678901234567890.5",
    '""',
    '"text"',
    '"1"',
    '"true"',
    '"null"',
    r'"line\nbreak \"quoted\" $${template} <&> \u2028"',
    '"e\\u0301"',
    "[]",
    "{}",
    '["a", 1, null, true]',
    'tolist(["a", "b"])',
    'toset(["b", "a", "ä"])',
    "toset([3, 20, 0.5])",
    'tomap({ a = "1", b = null })',
    '{ a = 1, b = { c = [], is_true = ["x"] } }',
    "tolist([])",
    "tostring(null)",
    "tolist(null)",
    '[{ a = toset(["x"]) }, { a = toset([]) }]',
)


@dataclass(frozen=True)
class Resource:
    """A `terraform_data` resource: its name, `count` or `for_each`, and its arguments.

    `reference` is the name of another resource, whose outputs are its value then.
    """

    name: str
    repeated: str = ""
    reference: str = ""
    value: str = "null"
    triggers: str = "null"
    sensitive: bool = False
    lifecycle: tuple[str, ...] = ()

    @property
    def everything(self) -> str:
        """An expression for all its outputs, whether or not it has `count` or `for_each`."""
        address = f"terraform_data.{self.name}"
        if self.repeated.startswith("count"):
            return f"{address}[*].output"
        if self.repeated:
            return f"{{ for k, v in {address} : k => v.output }}"
        return f"{address}.output"

    def block(self, known: Mapping[str, str]) -> str:
        """The resource in HCL; `known` has the expressions for other resources' outputs, by
        name."""
        value = known.get(self.reference, self.value)
        value = f"sensitive({value})" if self.sensitive else value
        rows = [self.repeated, f"input = {value}", f"triggers_replace = {self.triggers}"]
        rows += ["lifecycle {", *self.lifecycle, "}"]
        return block(f'resource "terraform_data" "{self.name}"', *rows)


@dataclass(frozen=True)
class Output:
    """A root output: of a fixed value, or of the resource that `reference` names."""

    name: str
    value: str
    sensitive: bool = False
    reference: str = ""

    def block(self, known: Mapping[str, str]) -> str:
        """The output in HCL; `known` has the expressions for resources' outputs, by name."""
        value = known.get(self.reference, self.value)
        sensitive = "true" if self.sensitive or self.reference else "false"
        return block(f'output "{self.name}"', f"value = {value}", f"sensitive = {sensitive}")


@dataclass(frozen=True)
class Configuration:
    """A root module: resources, outputs, calls of the one child module, and other blocks."""

    resources: tuple[Resource, ...] = ()
    outputs: tuple[Output, ...] = ()
    calls: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def text(self) -> str:
        """The text of `main.tf`."""
        known = {item.name: item.everything for item in self.resources}
        blocks = [item.block(known) for item in self.resources]
        blocks += [item.block(known) for item in self.outputs]
        return "\n".join([*blocks, *self.calls, *self.others])


@dataclass(frozen=True)
class Estate:
    """One case; without `before` nothing is applied. `edits`: functions in `EDITS`, by name, for
    the state file."""

    before: Configuration | None
    edits: tuple[str, ...]
    after: Configuration
    flags: tuple[str, ...] = field(default=())


CHILD = """
variable "value" {}
resource "terraform_data" "inner" { input = var.value }
resource "terraform_data" "many" {
  count = 2
  input = terraform_data.inner.id
}
output "id" { value = terraform_data.inner.output }
"""

REMOTE_STATE = {
    "version": 4,
    "terraform_version": "1.6.0",
    "serial": 1,
    "lineage": "00000000-0000-0000-0000-000000000000",
    "outputs": {"o": {"value": "remote", "type": "string"}},
    "resources": [],
}


def block(head: str, *rows: str) -> str:
    """A block in HCL."""
    return "\n".join([f"{head} {{", *(row for row in rows if row), "}"])


def quoted(text: str) -> str:
    """A string literal in HCL."""
    escaped = json.dumps(text, ensure_ascii=False)
    return escaped.replace("${", "$${").replace("%{", "%%{")


def estate(seed: int, version: tuple[int, int]) -> Estate:
    """The estate of a seed, for a tool of this version."""
    random = Random(seed)
    start = random.random() < 0.85
    before = configuration(random)
    after = changed(random, before, version) if start else before
    if random.random() < 0.2:
        after = with_import(random, after)
    edits = [name for name in EDITS if random.random() < 0.25] if start else []
    return Estate(before if start else None, tuple(edits), after, flags(random, after))


def configuration(random: Random) -> Configuration:
    """A random configuration."""
    resources: list[Resource] = []
    for number in range(random.randrange(7)):
        resources.append(resource(random, f"r{number}", resources))
    outputs = [output(random, f"o{n}", resources) for n in range(random.randrange(5))]
    calls = [call(random, f"m{n}") for n in range(random.choice((0, 0, 1, 2)))]
    others = [remote_state(random, resources)] if random.random() < 0.3 else []
    return Configuration(tuple(resources), tuple(outputs), tuple(calls), tuple(others))


def resource(random: Random, name: str, earlier: list[Resource]) -> Resource:
    """A resource that may depend on an earlier one."""
    depends = bool(earlier) and random.random() < 0.3
    return Resource(
        name=name,
        repeated=repeated(random),
        reference=random.choice(earlier).name if depends else "",
        value=random.choice(VALUES),
        triggers=random.choice(("null", "null", *VALUES)),
        sensitive=random.random() < 0.15,
        lifecycle=lifecycle(random),
    )


def repeated(random: Random) -> str:
    """At random no repetition, `count` or `for_each`."""
    kind = random.random()
    if kind < 0.5:
        return ""
    if kind < 0.7:
        return f"count = {random.randrange(4)}"
    keys = random.sample(KEYS, random.randrange(4))
    return f"for_each = toset([{', '.join(map(quoted, keys))}])"


def lifecycle(random: Random) -> tuple[str, ...]:
    """Random rows of a lifecycle block."""
    rows = ["create_before_destroy = true"] if random.random() < 0.25 else []
    rows += ["ignore_changes = [input]"] if random.random() < 0.1 else []
    return tuple(rows)


def output(random: Random, name: str, resources: list[Resource]) -> Output:
    """An output of a fixed value or of a resource's."""
    depends = bool(resources) and random.random() < 0.5
    reference = random.choice(resources).name if depends else ""
    return Output(name, random.choice(VALUES), random.random() < 0.3, reference)


def call(random: Random, name: str) -> str:
    """A call of the child module."""
    value = random.choice(VALUES)
    return block(f'module "{name}"', 'source = "./child"', f"value = {value}", repeated(random))


def remote_state(random: Random, resources: list[Resource]) -> str:
    """A data source with an output; read in the plan, or only in the apply if its path depends on a
    resource."""
    path = '"remote.tfstate"'
    if resources and random.random() < 0.6:
        path = f"jsonencode({random.choice(resources).everything}) == 0 ? {path} : {path}"
    rows = ['backend = "local"', f"config = {{ path = {path} }}"]
    data = block('data "terraform_remote_state" "remote"', *rows)
    used = "data.terraform_remote_state.remote.outputs"
    return data + "\n" + Output("remote", used, sensitive=True).block({})


def changed(random: Random, old: Configuration, version: tuple[int, int]) -> Configuration:
    """A random change of a configuration."""
    resources: list[Resource] = []
    others: list[str] = []
    for item in old.resources:
        for new, block_of_it in changes(random, item, resources, version):
            resources += [new] if new else []
            others += [block_of_it] if block_of_it else []
    if random.random() < 0.4:
        resources.append(resource(random, "new", resources))
    outputs = [output(random, f"o{n}", resources) for n in range(random.randrange(5))]
    kept = [output for output in old.outputs if random.random() < 0.6]
    outputs = [*kept, *(o for o in outputs if o.name not in {k.name for k in kept})]
    calls = [c if random.random() < 0.5 else call(random, c.split('"')[1]) for c in old.calls]
    calls = [c for c in calls if random.random() < 0.8]
    if random.random() < 0.2:
        others.append(remote_state(random, resources))
    return Configuration(tuple(resources), tuple(outputs), tuple(calls), tuple(others))


def changes(
    random: Random, item: Resource, before: list[Resource], version: tuple[int, int]
) -> Iterator[tuple[Resource | None, str]]:
    """What becomes of a resource: it stays, is changed, or None; and the block that says so, if
    there is one."""
    what = random.random()
    if what < 0.3:
        yield item, ""
    elif what < 0.45:
        yield replace(item, value=random.choice(VALUES), reference=""), ""
    elif what < 0.6:
        yield replace(item, triggers=random.choice(VALUES)), ""
    elif what < 0.7:
        yield replace(item, repeated=repeated(random)), ""
    elif what < 0.8:
        new = replace(item, name=item.name + "_moved", value=random.choice((item.value, "1")))
        move = (f"from = terraform_data.{item.name}", f"to = terraform_data.{new.name}")
        yield new, block("moved", *move)
    elif what < 0.85:
        condition = 'condition = path.module == "nowhere"'
        rows = ("precondition {", condition, 'error_message = "no"', "}")
        yield replace(item, lifecycle=rows), ""
    elif what < 0.93 and version >= REMOVED_BLOCKS:
        rows = (f"from = terraform_data.{item.name}", "lifecycle {", "destroy = false", "}")
        yield None, block("removed", *rows)
    else:
        yield None, ""


def with_import(random: Random, old: Configuration) -> Configuration:
    """The configuration with one more resource, which is imported."""
    imported = replace(resource(random, "imported", []), repeated="")
    rows = ("to = terraform_data.imported", f'id = "{random.randrange(99)}"')
    others = (*old.others, block("import", *rows))
    return replace(old, resources=(*old.resources, imported), others=others)


def flags(random: Random, after: Configuration) -> tuple[str, ...]:
    """Random flags of the plan."""
    mode = random.choice(("", "", "", "", "-refresh-only", "-destroy", "-refresh=false"))
    chosen = [mode] if mode else []
    moves = any(other.startswith("moved") for other in after.others)
    if after.resources and not moves and random.random() < 0.25:
        chosen.append(f"-target=terraform_data.{random.choice(after.resources).name}")
    if not mode and random.random() < 0.2:
        for item in after.resources:
            chosen += [] if item.repeated else [f"-replace=terraform_data.{item.name}"]
    return tuple(chosen)


State = dict[str, Any]


def instances(random: Random, state: State) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Some managed objects of a state, each with the list that it is in."""
    for found in state["resources"]:
        for item in list(found["instances"]):
            if found["mode"] == "managed" and random.random() < 0.3:
                yield item, found["instances"]


def taint(random: Random, state: State) -> None:
    """Marks objects as tainted, as after a failed creation."""
    for item, _ in instances(random, state):
        item["status"] = "tainted"


def depose(random: Random, state: State) -> None:
    """Adds deposed objects, as after a replacement that could not destroy the old object."""
    for item, siblings in instances(random, state):
        key = f"{random.randrange(1 << 32):08x}"
        attributes = {**item["attributes"], "id": str(uuid.UUID(int=random.getrandbits(128)))}
        deposed = {**item, "deposed": key, "attributes": attributes}
        siblings.append({k: v for k, v in deposed.items() if k != "status"})


def forget(random: Random, state: State) -> None:
    """Removes objects, as `state rm` does."""
    for item, siblings in instances(random, state):
        siblings.remove(item)


def unmark(random: Random, state: State) -> None:
    """Removes sensitive marks, as if an older terraform had written the state: the next plan sees
    drift that is only about marks."""
    for item, _ in instances(random, state):
        item.pop("sensitive_attributes", None)


def mark(random: Random, state: State) -> None:
    """Adds sensitive marks."""
    for item, _ in instances(random, state):
        path = [{"type": "get_attr", "value": "input"}]
        item["sensitive_attributes"] = [path]


def forget_outputs(random: Random, state: State) -> None:
    """Removes outputs, which the next plan then adds."""
    for name in list(state["outputs"]):
        if random.random() < 0.5:
            del state["outputs"][name]


EDITS = {edit.__name__: edit for edit in (taint, depose, forget, unmark, mark, forget_outputs)}
