"""Addresses of objects in a state are those that terraform gives them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from support.engines import clean_env, terraform

from tfevents.readers.json import state
from tfevents.terraform.state import unescape_address

KEYS = [
    "plain",
    "",
    " ",
    'a"b',
    "back\\slash",
    "\\u0041",
    "\\n",
    "new\nline",
    "tab\t",
    "return\r",
    "${x}",
    "$${x}",
    "$$${",
    "%{if}",
    "%%{",
    "$",
    "${",
    "a.b[0]",
    'x"].terraform_data.y["z',
    "é",
    "💥",
    "\u200b",
    "\u00ad",
    "\u00a0",
    "\u0007",
    "\U0001fae0",
    "\U0001f6d8",
    "\U000e0001",
]


PROJECT = """
variable "keys" { type = set(string) }
resource "terraform_data" "k" {
  for_each = var.keys
}
resource "terraform_data" "n" {
  count = 2
}
resource "terraform_data" "one" {}
module "m" {
  source   = "./m"
  for_each = var.keys
}
module "c" {
  source = "./m"
  count  = 2
}
"""


def test_addresses_are_terraforms_own(tmp_path: Path) -> None:
    """For any for_each key, an object has the same address in the state file, in `show -json` and
    in `terraform state list`."""
    env = clean_env(tmp_path / "home", terraform())
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "main.tf").write_text('resource "terraform_data" "i" {}\n')
    (tmp_path / "main.tf").write_text(PROJECT)
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps({"keys": KEYS}))

    def say(*words: str) -> bytes:
        done = subprocess.run(
            ["terraform", *words], env=env, cwd=tmp_path, check=True, capture_output=True
        )
        return done.stdout

    say("init")
    say("apply", "-auto-approve")
    pulled, shown = (
        state.parse_state_file(say("state", "pull")),
        state.parse_shown_state(say("show", "-json")),
    )
    listed = {unescape_address(line) for line in say("state", "list").decode().split("\n") if line}
    assert len(pulled.objects) == 2 * len(KEYS) + 5
    assert {address for address, _ in pulled.objects} == listed
    assert pulled.objects.keys() == shown.objects.keys()
