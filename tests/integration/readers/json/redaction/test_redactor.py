"""Redaction of real plans: no value that terraform marks as sensitive is left, and memory does not
grow with the plan."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from support import engines
from support.exhaustive import exhaustive_except
from support.peak_memory import PRINT_PEAK

from tfevents.readers.json.redaction.redactor import PLAN, STATE, Redactor

CONFIG = """
variable "plain" { default = "an open value" }
variable "secret" {
  type      = string
  sensitive = true
  default   = "canary-default-value"
}
variable "nested" {
  type      = object({ list = list(string), n = number })
  sensitive = true
}
variable "keys" {
  type      = map(string)
  sensitive = true
}
variable "short" {
  type      = string
  sensitive = true
}
variable "passed" { default = "canary-passed-default" }
module "inner" {
  source = "./inner"
  given  = "canary-module-constant"
}
module "outer" {
  source = "./outer"
  given  = "x ${var.passed} y"
}
resource "terraform_data" "marked" {
  input            = { open = var.plain, hidden = var.secret, deep = [var.nested, "open"] }
  triggers_replace = [var.short]
}
resource "terraform_data" "leaks" {
  for_each = toset([nonsensitive(var.secret)])
  input    = "before ${nonsensitive(var.nested.list[0])} after"
}
resource "terraform_data" "encoded" {
  input = nonsensitive(jsonencode({ a = var.nested.list[1] }))
}
resource "terraform_data" "encoded_more" {
  input = [
    base64encode("user:${nonsensitive(var.secret)}"),
    "https://host.example/?q=${urlencode(nonsensitive(var.nested.list[0]))}&r=1",
    nonsensitive(jsonencode({ a = jsonencode({ b = jsonencode(var.nested.list[1]) }) })),
    "it is '${nonsensitive(jsonencode(jsonencode(var.nested.list[1])))}'",
    base64encode(nonsensitive(jsonencode(var.keys))),
  ]
}
resource "terraform_data" "keys" {
  for_each = nonsensitive(toset(keys(var.keys)))
  input    = { (each.key) = var.passed }
}
resource "terraform_data" "numbers" { input = nonsensitive(var.nested.n) }
output "marked" {
  value     = var.secret
  sensitive = true
}
output "keys" {
  value     = { for name, value in var.keys : nonsensitive(name) => value }
  sensitive = true
}
output "constant" {
  value     = "canary-output-constant"
  sensitive = true
}
output "open" { value = 1.10 }
output "leak" { value = "x-${nonsensitive(var.secret)}" }
output "map" { value = { (nonsensitive(var.secret)) = true } }
"""


INNER = """
variable "given" { sensitive = true }
resource "terraform_data" "own" { input = var.given }
"""

OUTER = """
variable "given" {}
module "inner" {
  source = "../inner"
  given  = var.given
}
"""

VALUES = {
    "passed": "canary-passed-value",
    "keys": {"canary-key-one": "x", "canary-key-two": "canary-key-value"},
    "secret": "canary-secret-value",
    "nested": {"list": ["canary-list-<&>", 'canary-"quoted"\nline'], "n": 8675309},
    "short": "abc",
}


def hidden(document: bytes, *others: bytes) -> Any:
    """The document without the values that are sensitive in it or in the other documents."""
    redactor = Redactor()
    for one in (document, *others):
        redactor.collect(BytesIO(one).read)
    return json.loads(b"".join(redactor.rewrite(BytesIO(document).read, PLAN | STATE)))


def plan_json(tmp_path: Path, config: str, *words: str) -> tuple[bytes, bytes, bytes]:
    """Plan JSON of a second plan after an apply, the state file, and `show -json` of the state."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "main.tf").write_text(INNER)
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "main.tf").write_text(OUTER)
    (tmp_path / "main.tf").write_text(config)
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(VALUES))
    env = engines.clean_env(tmp_path / "home", engines.terraform())

    def terraform(*words: str) -> bytes:
        return subprocess.run(
            ["terraform", *words], cwd=tmp_path, env=env, check=True, capture_output=True
        ).stdout

    terraform("init")
    terraform("apply", "-auto-approve")
    terraform("plan", "-out=plan", *words)
    return (
        terraform("show", "-json", "plan"),
        terraform("state", "pull"),
        terraform("show", "-json"),
    )


@pytest.mark.parametrize(
    "words", exhaustive_except([[], ["-destroy"], ["-replace=terraform_data.marked"]], [])
)
def test_what_is_marked_anywhere_is_nowhere(tmp_path: Path, words: list[str]) -> None:
    """No sensitive value is left in the plan and states of a real project: variables, values,
    changes, outputs, configuration, keys and addresses."""
    plan, *states = plan_json(tmp_path, CONFIG, *words)
    for document in (plan, *states):
        text = json.dumps(hidden(document, plan))
        assert b"canary" in document
        assert "canary" not in text
        assert "Y2FuYXJ5" not in text
        assert "8675309" not in text
        assert '"abc"' not in text


def test_the_rest_of_a_real_plan_stays(tmp_path: Path) -> None:
    """Values that are not sensitive are kept under their names; variables and configuration are
    left out of the document."""
    document, _, _ = plan_json(tmp_path, CONFIG)
    before, after = json.loads(document), hidden(document)
    assert after["planned_values"]["outputs"]["open"] == before["planned_values"]["outputs"]["open"]
    assert [c["type"] for c in after["resource_changes"]] == [
        c["type"] for c in before["resource_changes"]
    ]
    assert after.keys() == before.keys() - {"variables", "configuration"}


def test_nothing_marked_is_nothing_changed(tmp_path: Path) -> None:
    """Without sensitive values the members of a plan that are kept, and a state, stay semantically
    equal."""
    config = 'variable "secret" {}\nvariable "nested" {}\nvariable "short" {}\n' + (
        'resource "terraform_data" "a" { input = { sensitive = true, value = var.secret } }\n'
        'output "o" { value = { n = 1.10, big = 123456789012345678901234567890 } }\n'
    )
    plan, state, _ = (json.loads(document) for document in plan_json(tmp_path, config))
    assert hidden(json.dumps(plan).encode()) == {n: v for n, v in plan.items() if n in PLAN}
    assert hidden(json.dumps(state).encode()) == state


MEASURE = """
import sys
from tfevents.readers.json.redaction.redactor import PLAN, STATE, Redactor
path = sys.argv[1]
redactor = Redactor()
with open(path, "rb") as file:
    redactor.collect(file.read)
with open(path, "rb") as file, open(path + ".out", "wb") as out:
    out.writelines(redactor.rewrite(file.read, PLAN | STATE))
"""


def peak(path: Path, resources: int) -> int:
    """The peak memory, in KiB, of redacting a plan with so many resources."""
    values = {"secret": "canary-of-all", "open": "x" * 8000}
    marks = {"before_sensitive": False, "after_sensitive": {"secret": True}}
    one = {"type": "t", "change": {"before": None, "after": values, **marks}}
    text = json.dumps({**one, "name": "canary-of-all"})
    with path.open("w") as file:
        file.write('{"resource_changes": [' + text)
        file.writelines(f",{text}" for _ in range(resources - 1))
        file.write('], "prior_state": {}}')
    command = [sys.executable, "-c", MEASURE + PRINT_PEAK, str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    with Path(f"{path}.out").open("rb") as file:
        while piece := file.read(1 << 20):
            assert b"canary" not in piece
    assert Path(f"{path}.out").stat().st_size > resources * 8000
    return int(done.stdout)


@pytest.mark.exhaustive
def test_a_plan_of_200_mb_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    """Redacting a plan of 200 MB takes at most 16 MiB more memory than a small one."""
    small, large = peak(tmp_path / "small", 10), peak(tmp_path / "large", 25_000)
    assert (tmp_path / "large").stat().st_size > 200_000_000
    assert large < small + 16 * 1024
