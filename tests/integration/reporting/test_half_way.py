"""Applies that fail half-way: the event counts exactly the changes that terraform completed.

The same apply is run in a copy by `terraform apply -json`, whose `apply_complete` lines are
terraform's own account; the expected counts that these lines do not show are written down here.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections import Counter
from dataclasses import dataclass

import pytest
from support.exhaustive import exhaustive_except
from support.stage import Stage

HOOKS = {"create": "a", "update": "c", "delete": "d"}
BAD = """
resource "terraform_data" "bad" {
  depends_on = [%s]
  provisioner "local-exec" {
    command = "exit 1"
  }
}
"""


def resource(name: str, body: str = "") -> str:
    """A `terraform_data` block."""
    return f'resource "terraform_data" "{name}" {{\n{body}\n}}\n'


def on_destroy(command: str) -> str:
    """A destroy-time provisioner with this command."""
    return f'provisioner "local-exec" {{\n when = destroy\n command = "{command}"\n}}\n'


def bad(*after: str) -> str:
    """A resource whose creation fails after these resources."""
    return BAD % ", ".join(f"terraform_data.{name}" for name in after)


CBD = "lifecycle {\n create_before_destroy = true\n}\n"
VERSION = "triggers_replace = %s\n"
FIRST_ONLY = 'provisioner "local-exec" {\n command = "test ${self.triggers_replace} = 1"\n}\n'
KEYS = r'for_each = toset(["a\"b", "new\nline", "$${x}", "%%{y}", "é", "\u200b", "a.b[0]"])'


@dataclass(frozen=True)
class HalfWay:
    """A configuration that is applied, the one that then fails, the expected counts ("a1 d1"), and
    how many objects are tainted afterwards."""

    before: str
    after: str
    done: str
    tainted: int = 0
    words: tuple[str, ...] = ("apply",)


SCENARIOS = {
    "create": HalfWay(
        "",
        resource("a") + bad("a") + resource("never", "depends_on = [terraform_data.bad]"),
        "a1",
        1,
    ),
    "update done": HalfWay(
        resource("a", "input = 1"), resource("a", "input = 2") + bad("a"), "c1", 1
    ),
    "update not reached": HalfWay(
        resource("a", "input = 1"),
        bad() + resource("a", "input = 2\ndepends_on = [terraform_data.bad]"),
        "u1",
        1,
    ),
    "delete done": HalfWay(
        resource("a", "count = 3") + resource("kept"),
        resource("a", "count = 1") + resource("kept") + bad("a"),
        "d2 u2",
        1,
    ),
    "delete fails": HalfWay(
        resource("a", "count = 2\n" + on_destroy("test ${self.id} = x")),
        resource("a", "count = 1\n" + on_destroy("test ${self.id} = x")),
        "u1",
    ),
    "replace fails in create": HalfWay(
        resource("a", VERSION % 1 + FIRST_ONLY), resource("a", VERSION % 2 + FIRST_ONLY), "d1", 1
    ),
    "replace fails in destroy": HalfWay(
        resource("a", VERSION % 1 + on_destroy("exit 1")),
        resource("a", VERSION % 2 + on_destroy("exit 1")),
        "",
    ),
    "replace not reached": HalfWay(
        resource("a", VERSION % 1),
        bad() + resource("a", VERSION % 2 + "depends_on = [terraform_data.bad]"),
        # terraform deletes the old object before it creates `bad`, which the new one depends on
        "d1",
        1,
    ),
    "create-first fails in create": HalfWay(
        resource("a", VERSION % 1 + FIRST_ONLY + CBD),
        resource("a", VERSION % 2 + FIRST_ONLY + CBD),
        "",
        1,
    ),
    "replace done": HalfWay(
        resource("a", VERSION % 1), resource("a", VERSION % 2) + bad("a"), "a1 d1", 1
    ),
    # the old object is deposed: it is deleted when everything that depends on it has changed
    "create-first, destroy not reached": HalfWay(
        resource("a", VERSION % 1 + CBD), resource("a", VERSION % 2 + CBD) + bad("a"), "a1", 1
    ),
    "forget": HalfWay(
        resource("a") + resource("b"),
        "removed {\n from = terraform_data.a\n lifecycle {\n destroy = false\n }\n}\n"
        + resource("b")
        + bad("b"),
        "r1 u1",
        1,
    ),
    "import": HalfWay(
        "",
        'import {\n to = terraform_data.i\n id = "x"\n}\n' + resource("i") + bad("i"),
        "i1",
        1,
    ),
    "import and update": HalfWay(
        "",
        'import {\n to = terraform_data.i\n id = "x"\n}\n' + resource("i", "input = 1") + bad("i"),
        "c1 i1",
        1,
    ),
    "move": HalfWay(
        resource("a", "input = 1") + resource("b", "input = 1"),
        "moved {\n from = terraform_data.a\n to = terraform_data.z\n}\n"
        "moved {\n from = terraform_data.b\n to = terraform_data.y\n}\n"
        + resource("z", "input = 1")
        + resource("y", "input = 2")
        + bad("y"),
        "c1",
        1,
    ),
    "move and delete": HalfWay(
        resource("a", "count = 2"),
        "moved {\n from = terraform_data.a\n to = terraform_data.z\n}\n"
        + resource("z", "count = 1")
        + bad("z"),
        "d1",
        1,
    ),
    "odd keys": HalfWay(
        resource("k", KEYS + "\ninput = 1"),
        resource("k", KEYS + '\ninput = each.key == "é" ? 1 : 2')
        + resource("n", KEYS)
        + bad("k", "n"),
        "a7 c6 u1",
        1,
    ),
    "tainted before": HalfWay(
        resource("a") + bad("a"),
        bad() + resource("a", "input = 1\ndepends_on = [terraform_data.bad]"),
        "d1 u1",
        1,
    ),
    "destroy": HalfWay(
        resource("a", "count = 3") + resource("kept", on_destroy("exit 1")),
        resource("a", "count = 3") + resource("kept", on_destroy("exit 1")),
        "d3",
        words=("destroy",),
    ),
    "destroy in order": HalfWay(
        resource("a", on_destroy("exit 1")) + resource("b", "depends_on = [terraform_data.a]"),
        resource("a", on_destroy("exit 1")) + resource("b", "depends_on = [terraform_data.a]"),
        "d1",
        words=("destroy",),
    ),
}


def completed(stage: Stage, words: tuple[str, ...]) -> Counter[str]:
    """What terraform completed of the same command in a copy, from its `-json` output."""
    said = stage.engine(*words, "-json", "-auto-approve").stdout
    lines = [json.loads(line) for line in said.splitlines()]
    assert not any("changes" in line and line["changes"]["operation"] != "plan" for line in lines)
    hooks = (line["hook"]["action"] for line in lines if line["type"] == "apply_complete")
    return Counter(HOOKS[action] for action in hooks)


def prepared(stage: Stage, scenario: HalfWay) -> Stage:
    """Applies `before` and writes `after`, in the project and in a copy; returns the copy."""
    stage.write(scenario.before)
    stage.engine("apply", "-auto-approve")
    stage.write(scenario.after)
    twin = stage.project.with_name("twin")
    shutil.copytree(stage.project, twin)
    return Stage(twin, stage.env)


@pytest.mark.parametrize("name", exhaustive_except(SCENARIOS, "replace fails in create"))
def test_done_is_what_terraform_completed(stage: Stage, name: str) -> None:
    """Additions, changes and deletions of a failed apply are those that terraform completed; other
    counts are as written in the scenario."""
    scenario = SCENARIOS[name]
    twin = prepared(stage, scenario)
    _, end = stage.run(*scenario.words, "-auto-approve")
    assert end.row == f"failed {scenario.words[0]} failure"
    assert end.counts() == scenario.done
    assert end.data["tainted"] == str(scenario.tainted)
    told = completed(twin, scenario.words)
    assert {word[0]: int(word[1:]) for word in scenario.done.split() if word[0] in "acd"} == told


EITHER = ["update done", "replace fails in create", "odd keys", "import"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", exhaustive_except(EITHER, "replace fails in create"))
@pytest.mark.parametrize("reader", ["file", "json"])
def test_either_reader_reconciles_alike(stage: Stage, name: str, reader: str) -> None:
    """A failed apply of a saved plan has the same counts whether the plan file or `show -json` is
    read."""
    scenario = SCENARIOS[name]
    stage.write(scenario.before)
    stage.engine("apply", "-auto-approve")
    stage.write(scenario.after)
    stage.run("plan", "-out=p", TFEVENTS_PLAN_READER=reader)
    _, end = stage.run("apply", "p", TFEVENTS_PLAN_READER=reader)
    assert (end.counts(), end.data["tainted"]) == (scenario.done, str(scenario.tainted))


@pytest.mark.exhaustive
def test_outputs_of_a_failed_apply_are_as_they_ended(stage: Stage) -> None:
    """Outputs of a failed apply are counted by what is in the state afterwards, not by the plan."""
    stage.write(resource("a", "input = 1") + 'output "o" {\n value = terraform_data.a.output\n}\n')
    stage.engine("apply", "-auto-approve")
    stage.write(
        resource("a", "input = 2")
        + bad("a")
        + 'output "o" {\n value = terraform_data.a.output\n}\n'
        + 'output "never" {\n value = terraform_data.bad.id\n}\n'
        + 'output "known" {\n value = 1\n}\n'
    )
    _, end = stage.run("apply", "-auto-approve")
    stored = json.loads(stage.state())["outputs"]
    changed = "c1" if stored["o"]["value"] == 2 else "u1"
    added = len(stored.keys() - {"o"})
    assert end.counts("output") == f"a{added} {changed}"


def test_a_lock_that_is_held_means_nothing_was_done(stage: Stage) -> None:
    """If the state lock can't be acquired, there is no start event and no count."""
    stage.write(resource("a", "input = 1") + resource("b", "input = 1"))
    stage.engine("apply", "-auto-approve")
    stage.write(resource("a", "input = 2") + resource("b", "input = 1"))
    stage.run("plan", "-out=p")
    lock = {"ID": "1", "Operation": "x", "Who": "x", "Path": "terraform.tfstate"}
    stage.write(json.dumps(lock), ".terraform.tfstate.lock.info")
    state = stage.project / "terraform.tfstate"
    with open(state, "rb+") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        (end,) = stage.run("apply", "p")
    assert "Error acquiring the state lock" in stage.stderr
    assert end.row == "failed apply failure"
    assert end.counts() is None
    assert end.data["planned_changed"] == "1"


def test_the_lock_is_held_while_the_question_waits(stage: Stage) -> None:
    """While terraform waits for approval it holds the state lock, so that no other apply's changes
    are counted in this run."""
    stage.write(resource("a") + resource("b"))
    with stage.sit("apply") as terminal:
        terminal.expect("Enter a value:")
        other = stage.engine("apply", "-auto-approve")
        assert b"Error acquiring the state lock" in other.stderr
        terminal.send("yes\n")
        assert terminal.wait() == 0
    end = stage.heard()[-1]
    assert end.row == "active apply success"
    assert end.counts() == "a2"


@pytest.mark.exhaustive
def test_another_apply_holds_the_lock_first(stage: Stage) -> None:
    """A run that waits for another apply's lock starts from the state that the other apply
    leaves."""
    stage.write(resource("a") + resource("b"))
    with stage.sit("apply") as other:
        other.expect("Enter a value:")
        with stage.sit("destroy", "-lock-timeout=60s", "-auto-approve") as terminal:
            terminal.expect("Acquiring state lock.")
            other.send("yes\n")
            assert (other.wait(), terminal.wait()) == (0, 0)
            assert "Destroy complete! Resources: 2 destroyed." in terminal.screen
    counts = {event.type: event.counts() for event in stage.heard()}
    assert (counts["active"], counts["inactive"]) == ("a2", "d2")


@pytest.mark.exhaustive
def test_an_update_that_turns_out_to_be_none(stage: Stage) -> None:
    """An update that was planned only because a value was unknown counts as unchanged if the value
    stays the same, as terraform counts."""
    text = (
        'variable "n" {\n default = 1\n}\n'
        + resource("r", "triggers_replace = var.n")
        + resource("same", "input = length(terraform_data.r.id)")
        + resource("other", "input = terraform_data.r.id")
        + 'output "o" {\n value = length(terraform_data.r.id)\n}\n'
    )
    stage.write(text)
    stage.engine("apply", "-auto-approve")
    _, end = stage.run("apply", "-auto-approve", "-no-color", "-var=n=2")
    assert "Plan: 1 to add, 2 to change, 1 to destroy." in stage.stdout
    assert "Resources: 1 added, 1 changed, 1 destroyed." in stage.stdout
    assert end.counts() == "a1 c1 d1 u1"
    assert end.counts("output") == "u1"
