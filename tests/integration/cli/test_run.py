"""`tfevents run`: as `tf`, with the binary that is named and every word as it was typed."""

from __future__ import annotations

import json

import pytest
from support.command import Tfevents

TELL = """echo "$0"; for word in "$@"; do echo "<$word>"; done; exit 3"""
WORDS = ("state", "list", "-x=y", "--json", "-", "--", "--help", "-n", "", "a b", "$HOME")


@pytest.mark.parametrize("dashes", [("--",), ()])
def test_every_word_is_handed_on(dashes: tuple[str, ...], tfevents: Tfevents) -> None:
    """Flags that tfevents knows, too; and the exit code comes back."""
    path = tfevents.provisioner(TELL)
    done = tfevents.run("run", *dashes, "terraform", *WORDS)
    assert (done.returncode, done.stderr) == (3, b"")
    assert done.stdout.decode().splitlines() == [str(path), *(f"<{word}>" for word in WORDS)]


def test_a_path_and_another_name(tfevents: Tfevents) -> None:
    """Whatever is named is run, also where the settings name another one."""
    path = tfevents.provisioner(TELL, "tofu-of-ours")
    tfevents.env["TFEVENTS_PROVISIONER"] = "/no/such/terraform"
    for name in (path, "tofu-of-ours"):
        assert tfevents.run("run", "--", name, "version").stdout.startswith(bytes(path))


def test_no_such_binary(tfevents: Tfevents) -> None:
    """127, as a shell says it; and a forgotten binary is explained."""
    line = tfevents.fails(127, "run", "--", "plan", "-out=p")
    assert line == (
        "tfevents: run: there is no program 'plan': name terraform or tofu, or a path to it"
    )


def test_tfevents_does_not_run_itself(tfevents: Tfevents) -> None:
    """`tfevents run -- tf plan` would be a run in a run."""
    tfevents.env["PATH"] += ":" + str(tfevents.program.parent)
    assert "no program 'tf'" in tfevents.fails(127, "run", "--", "tf", "plan")


def test_a_reported_command_is_reported(tfevents: Tfevents) -> None:
    """A refresh of a stand-in that fails: its exit code, and its event in the journal."""
    tfevents.provisioner('[ "$1" = refresh ] && echo refreshed; exit 4')
    done = tfevents.run("run", "--", "terraform", "refresh", "-input=false")
    assert (done.returncode, done.stdout) == (4, b"refreshed\n")
    (run,) = tfevents.json("log", "--json")["runs"]
    assert (run["command"], run["exit_code"]) == ("refresh", 4)
    assert [e["event"]["event_type"] for e in run["events"]] == ["failed"]


def test_switched_off(tfevents: Tfevents) -> None:
    """TFEVENTS_DISABLED: becomes the binary at once."""
    tfevents.provisioner("echo $1; exit 5")
    tfevents.env["TFEVENTS_DISABLED"] = "1"
    assert tfevents.run("run", "--", "terraform", "plan").returncode == 5
    assert json.loads(tfevents.ok("log", "--json")) == {"runs": [], "events": []}


def test_what_can_t_be_started(tfevents: Tfevents) -> None:
    """A file that is no program the system knows: 126, as a shell says it."""
    path = tfevents.provisioner("")
    path.write_bytes(b"\x7fELF and nothing else")
    line = tfevents.fails(126, "run", "--", "terraform", "version")
    assert line == f"tfevents: can't run {path}: Exec format error"
