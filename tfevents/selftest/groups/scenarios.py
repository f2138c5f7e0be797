"""The scenarios: configurations and commands whose counts the binary itself prints."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

Version = tuple[int, int]


class Scenario(Struct, frozen=True):
    """The command `words`, run with the configuration `after`.

    `before`: the configuration that is applied first, if any. `prepare`: a command that the real
    binary runs after that. `since`: the first version that supports the scenario. `fails`: whether
    the command is expected to fail.
    """

    name: str
    after: str
    words: Sequence[str]
    before: str | None = None
    prepare: Sequence[str] = ()
    since: Version = (1, 4)
    fails: bool = False


def _resources(text: str) -> str:
    """The configuration of resources given as `name=input` or `name=input/trigger` words."""
    return "".join(map(_resource, text.split()))


def _resource(text: str) -> str:
    name, _, values = text.partition("=")
    given, _, trigger = values.partition("/")
    return (
        f'resource "terraform_data" "{name}" {{\n'
        f'  input = "{given}"\n  triggers_replace = "{trigger}"\n}}\n'
    )


FAILING = """\
resource "terraform_data" "broken" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" {
    command = "exit 3"
  }
}
"""
MOVED = "moved {\n  from = terraform_data.a\n  to = terraform_data.b\n}\n"
REMOVED = "removed {\n  from = terraform_data.a\n  lifecycle {\n    destroy = false\n  }\n}\n"
IMPORT = 'import {\n  to = terraform_data.b\n  id = "known"\n}\n'
COUNTED = 'resource "terraform_data" "c" {{\n  count = {}\n}}\n'
OUTPUT = 'output "o" {{\n  value = "{}"\n}}\n'
APPLY, PLAN = ("apply", "-auto-approve"), ("plan",)
OLD, NEW = _resources("a=1 b=1 c=1"), _resources("a=2 b=1/x d=1")

SCENARIOS = (
    Scenario("create", OLD, APPLY),
    Scenario("plan to create", OLD, PLAN),
    Scenario("nothing to do", OLD, APPLY, OLD),
    Scenario("plan of nothing", OLD, PLAN, OLD),
    Scenario("update in place", _resources("a=2"), APPLY, _resources("a=1")),
    Scenario("replace", _resources("a=1/x b=1"), APPLY, _resources("a=1 b=1")),
    Scenario("create, update, replace and delete", NEW, APPLY, OLD),
    Scenario("plan of all of them", NEW, PLAN, OLD),
    Scenario("fewer instances", COUNTED.format(2), APPLY, COUNTED.format(5)),
    Scenario("one target", NEW, (*APPLY, "-target=terraform_data.a"), OLD),
    Scenario("one replaced by option", OLD, (*APPLY, "-replace=terraform_data.b"), OLD),
    Scenario("a tainted one", OLD, APPLY, OLD, prepare=("taint", "terraform_data.a")),
    Scenario("moved", MOVED + _resources("b=1"), APPLY, _resources("a=1")),
    Scenario("forgotten", REMOVED + _resources("b=1"), APPLY, _resources("a=1 b=1"), since=(1, 7)),
    Scenario("imported", IMPORT + _resources("b=1"), APPLY, _resources("a=1"), since=(1, 5)),
    Scenario("outputs only", OUTPUT.format(2) + OLD, APPLY, OUTPUT.format(1) + OLD),
    Scenario("refresh only", OLD, (*APPLY, "-refresh-only"), OLD),
    Scenario("a half that fails", _resources("a=1") + FAILING, APPLY, fails=True),
    Scenario("destroy", OLD, ("destroy", "-auto-approve"), OLD),
    Scenario("plan to destroy", OLD, ("plan", "-destroy"), OLD),
)
