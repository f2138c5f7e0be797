"""`tfevents run` runs the named binary with unchanged arguments and reports the run like `tf`."""

from __future__ import annotations

import json

import pytest
from support.command import Tfevents

TELL = """echo "$0"; for word in "$@"; do echo "<$word>"; done; exit 3"""
WORDS = ("state", "list", "-x=y", "--json", "-", "--", "--help", "-n", "", "a b", "$HOME")


@pytest.mark.parametrize("dashes", [("--",), ()])
def test_every_word_is_handed_on(dashes: tuple[str, ...], tfevents: Tfevents) -> None:
    """`run` passes every argument on unchanged, also options that tfevents has, and exits with the
    binary's exit code."""
    path = tfevents.provisioner(TELL)
    done = tfevents.run("run", *dashes, "terraform", *WORDS)
    assert (done.returncode, done.stderr) == (3, b"")
    assert done.stdout.decode().splitlines() == [str(path), *(f"<{word}>" for word in WORDS)]


def test_a_path_and_another_name(tfevents: Tfevents) -> None:
    """`run` runs the binary that its argument names, by path or by any name, and ignores
    TFEVENTS_PROVISIONER."""
    path = tfevents.provisioner(TELL, "tofu-of-ours")
    tfevents.env["TFEVENTS_PROVISIONER"] = "/no/such/terraform"
    for name in (path, "tofu-of-ours"):
        assert tfevents.run("run", "--", name, "version").stdout.startswith(bytes(path))


def test_no_such_binary(tfevents: Tfevents) -> None:
    """If the named binary does not exist, `run` exits with 127 and one line, also if the binary was
    left out."""
    line = tfevents.fails(127, "run", "--", "plan", "-out=p")
    assert line == (
        "tfevents: run: there is no program 'plan': name terraform or tofu, or a path to it"
    )


def test_tfevents_does_not_run_itself(tfevents: Tfevents) -> None:
    """`run -- tf` is an error, because that would be a run within a run."""
    tfevents.env["PATH"] += ":" + str(tfevents.program.parent)
    assert "no program 'tf'" in tfevents.fails(127, "run", "--", "tf", "plan")


def test_a_reported_command_is_reported(tfevents: Tfevents) -> None:
    """A failed `refresh` keeps its exit code and output, and its run and event are in the
    journal."""
    tfevents.provisioner('[ "$1" = refresh ] && echo refreshed; exit 4')
    done = tfevents.run("run", "--", "terraform", "refresh", "-input=false")
    assert (done.returncode, done.stdout) == (4, b"refreshed\n")
    (run,) = tfevents.json("log", "--json")["runs"]
    assert (run["command"], run["exit_code"]) == ("refresh", 4)
    assert [e["event"]["event_type"] for e in run["events"]] == ["failed"]


def test_switched_off(tfevents: Tfevents) -> None:
    """With TFEVENTS_DISABLED, `run` only runs the binary and records nothing."""
    tfevents.provisioner("echo $1; exit 5")
    tfevents.env["TFEVENTS_DISABLED"] = "1"
    assert tfevents.run("run", "--", "terraform", "plan").returncode == 5
    assert json.loads(tfevents.ok("log", "--json")) == {"runs": [], "events": []}


def test_what_can_t_be_started(tfevents: Tfevents) -> None:
    """If the system can't execute the binary, `run` exits with 126 and one line."""
    path = tfevents.provisioner("")
    path.write_bytes(b"\x7fELF and nothing else")
    line = tfevents.fails(126, "run", "--", "terraform", "version")
    assert line == f"tfevents: can't run {path}: Exec format error"


def test_what_may_not_be_executed(tfevents: Tfevents) -> None:
    """If the binary has no execute permission, `run` exits with 126 and one line, too."""
    path = tfevents.provisioner("")
    path.chmod(0o644)
    line = tfevents.fails(126, "run", "--", path, "version")
    assert line == f"tfevents: can't run {path}: Permission denied"
