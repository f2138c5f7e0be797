"""`tf` in a terminal: the screen shows terraform's output, byte for byte."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.engines import clean_env
from support.exhaustive import exhaustive_except
from support.standin import script_engine
from support.terminal import Terminal
from support.twins import TF, Said, Twins, same, twins

PROJECT = {
    "main.tf": """\
variable "v" { default = "d" }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { input = terraform_data.a.output }
output "o" { value = terraform_data.b.output }
"""
}
PROMPT = "Enter a value:"


@pytest.fixture
def pair(tmp_path: Path) -> Twins:
    """Two copies of a project with two resources, of which one depends on the other."""
    return twins(tmp_path, PROJECT)


@pytest.fixture
def applied(pair: Twins) -> Twins:
    """The two copies after an apply."""
    same(pair.both("apply", "-auto-approve"))
    return pair


def typing(keys: bytes) -> Callable[[Terminal], None]:
    """A function that waits for terraform's prompt and then types `keys`."""

    def play(terminal: Terminal) -> None:
        terminal.expect(PROMPT)
        terminal.send(keys)

    return play


@pytest.mark.parametrize(
    "size",
    [
        (24, 40),
        pytest.param((40, 80), marks=pytest.mark.exhaustive),
        pytest.param((50, 200), marks=pytest.mark.exhaustive),
    ],
)
@pytest.mark.parametrize("flags", exhaustive_except([[], ["-no-color"]], []))
@pytest.mark.exhaustive
def test_a_run_of_every_width(pair: Twins, size: tuple[int, int], flags: list[str]) -> None:
    """`tf` and terraform wrap lines at the same width, in terminals of different sizes."""
    pair.in_terminals(["plan", "-out=p", *flags], size=size)
    same(pair.in_terminals(["apply", *flags], typing(b"yes\n"), size))
    theirs, ours = pair.in_terminals(["plan", *flags, "-var", "v=x"], size=size)
    same((theirs.without_footer(), ours))
    same(pair.in_terminals(["apply", "-auto-approve", "-var", "v=x", *flags], size=size))
    same(pair.in_terminals(["apply", *flags], typing(b"no\n"), size))
    same(pair.in_terminals(["destroy", *flags], typing(b"yes\n"), size))
    same(pair.in_terminals(["destroy", *flags], size=size))


ANSWERS = [
    b"yes\n",
    b"no\n",
    b"YES\n",
    b" yes\n",
    b"yes \n",
    b"yes\t\r",
    b"y\x04es\n",
    b"yess\x7f\n",
    b"\n",
    b"\x04",
    "yes\u00a0\n".encode(),
    "ja\u00e4\n".encode(),
]


@pytest.mark.parametrize("keys", exhaustive_except(ANSWERS, b"yes\n"))
def test_every_answer_to_an_apply(applied: Twins, keys: bytes) -> None:
    """`tf apply` accepts and refuses the same answers as terraform, Ctrl-D included."""
    same(applied.in_terminals(["apply", "-var", "v=new"], typing(keys)))


DESTROYS = [
    ["destroy"],
    ["destroy", "-no-color"],
    ["apply", "-destroy"],
    ["destroy", "-target=terraform_data.b"],
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("keys", exhaustive_except([b"yes\n", b"no\n", b"\x04"], b"yes\n"))
@pytest.mark.parametrize("command", exhaustive_except(DESTROYS, ["destroy"], ["apply", "-destroy"]))
def test_every_kind_of_destroy(applied: Twins, command: list[str], keys: bytes) -> None:
    """Each way to destroy has the same question, refusal and closing line as terraform."""
    theirs, ours = applied.in_terminals(command, typing(keys))
    same((without_warnings(theirs), without_warnings(ours)))


def without_warnings(said: Said) -> Said:
    return said.without_warnings()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "command", exhaustive_except([["apply"], ["destroy"], ["destroy", "-no-color"]], ["apply"])
)
def test_ctrl_c_at_the_prompt(applied: Twins, command: list[str]) -> None:
    """Ctrl-C at the prompt gives terraform's exit code and, up to the Ctrl-C, its screen; what
    follows may differ, because terraform writes two messages at once, in either order."""
    for _ in range(8):  # terraform's order of its two messages is chance
        theirs, ours = applied.in_terminals([*command, "-var", "v=x"], typing(b"\x03"))
        if ours == replace(theirs, ours=ours.ours):
            break
    assert ours.code == theirs.code == 1
    assert prompted(ours) in (prompted(theirs), *spoken(theirs))


def prompted(said: Said) -> bytes:
    """The output up to Ctrl-C."""
    return said.stdout[: said.stdout.index(b"^C")]


def spoken(said: Said) -> list[bytes]:
    """The whole output, as a list."""
    return [said.stdout]


@pytest.mark.exhaustive
def test_refresh_only_asks_its_own_question(applied: Twins) -> None:
    """`apply -refresh-only` asks its own question, about changes to the state; here only outputs
    have changed."""
    for place in (applied.theirs, applied.ours):
        with open(place / "main.tf", "a") as file:
            file.write('output "p" { value = terraform_data.a.output }\n')
    for keys in (b"no\n", b"yes\n"):
        said = same(applied.in_terminals(["apply", "-refresh-only"], typing(keys)))
        assert b"Would you like to update the Terraform state" in said.stdout
    same(applied.in_terminals(["apply", "-refresh-only"]))


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "command", exhaustive_except(["apply", "destroy", "refresh-only"], "destroy")
)
def test_the_workspace_is_named_in_the_question(pair: Twins, command: str) -> None:
    """The question names the workspace, whether it was selected or is set by TF_WORKSPACE."""
    pair.both("workspace", "new", "blue")
    same(pair.both("apply", "-auto-approve"))
    for place in (pair.theirs, pair.ours):
        with open(place / "main.tf", "a") as file:
            file.write('output "p" { value = terraform_data.a.output }\n')
    line = ["apply", "-refresh-only"] if command == "refresh-only" else [command]
    assert b'"blue"' in same(pair.in_terminals(line, typing(b"no\n"))).stdout
    said = same(pair.in_terminals(["apply"], typing(b"no\n"), TF_WORKSPACE="green"))
    assert b'"green"' in said.stdout


@pytest.mark.exhaustive
def test_terraform_asks_for_variables_and_approval(tmp_path: Path) -> None:
    """If a variable has no value, terraform asks for it and then for approval, as without `tf`."""
    pair = twins(
        tmp_path,
        {
            "main.tf": 'variable "v" { description = "What?" }\n'
            'resource "terraform_data" "a" { input = var.v }\n'
        },
    )

    def answer(terminal: Terminal) -> None:
        terminal.expect(PROMPT)
        terminal.send("first\n")
        terminal.expect("Only 'yes'")
        terminal.expect(PROMPT)
        terminal.send("yes\n")

    assert b"var.v" in same(pair.in_terminals(["apply"], answer)).stdout
    same(pair.in_terminals(["destroy"], answer))


@pytest.mark.exhaustive
def test_an_apply_that_fails_in_a_terminal(tmp_path: Path) -> None:
    """Standard output and standard error of a failed apply or destroy appear in terraform's
    order."""
    fails = 'provisioner "local-exec" {{ {}command = "echo said; exit 3" }}'
    for when in ("", "when = destroy\n"):
        body = fails.format(when).replace("{ ", "{\n").replace(" }", "\n}")
        pair = twins(
            tmp_path / str(len(when)),
            {"main.tf": f'resource "terraform_data" "a" {{\n{body}\n}}\n'},
        )
        same(pair.in_terminals(["apply", "-auto-approve"]))
        same(pair.in_terminals(["destroy", "-auto-approve"]))


LINES = ["-version", "workspace list", "plan -bogus", "apply nope"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("line", exhaustive_except(LINES, "apply nope"))
def test_the_rest_in_a_terminal(applied: Twins, line: str) -> None:
    """Commands that are not reported, and commands that terraform refuses, look the same in a
    terminal."""
    same(applied.in_terminals(line.split()))


ASK = """
import fcntl, json, struct, termios
command = next(word for word in argv if not word.startswith("-"))
if command == "version":
    say("Terraform v1.11.4\\non linux_amd64")
elif command in ("apply", "destroy"):
    def size():
        return struct.unpack("HHHH", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))[:2]
    say("terminals: " + " ".join(str(os.isatty(fd)) for fd in (0, 1, 2)))
    say("name: " + str(os.ttyname(0) == os.ttyname(2)))
    say(f"size: {size()}")
    while size() == (40, 120):
        time.sleep(0.01)
    say(f"size: {size()}")
else:
    sys.exit(1)
"""


@pytest.mark.parametrize("command", exhaustive_except(["apply", "destroy"], "apply"))
def test_terraform_sits_in_a_terminal_and_sees_its_size_change(
    tmp_path: Path, command: str
) -> None:
    """Terraform's three standard streams are the user's terminal, and terraform sees a change of
    its size."""
    engine = script_engine(tmp_path / "terraform", ASK)
    (tmp_path / "main.tf").touch()
    env = clean_env(tmp_path / "home", engine)
    with Terminal([TF, command, "-auto-approve"], env=env, cwd=tmp_path) as terminal:
        terminal.expect("terminals: True True True")
        terminal.expect("name: True")
        terminal.expect("size: (40, 120)")
        terminal.resize(30, 90)
        terminal.expect("size: (30, 90)")
        assert terminal.wait() == 0


def test_ctrl_z_stops_and_resumes_the_whole_run(tmp_path: Path) -> None:
    """Ctrl-Z stops the whole process group and `fg` resumes it; `tf` does not take the stop for
    terraform's end."""
    source = "say('ready')\nsys.stdin.readline()\nsay('resumed')\n"
    engine = script_engine(tmp_path / "terraform", source)
    env = clean_env(tmp_path / "home", engine)
    shell = f"set -m; {TF} plan; echo stopped: $?; fg >/dev/null; echo ended: $?"
    with Terminal(["/bin/bash", "-c", shell], env=env, cwd=tmp_path) as terminal:
        terminal.expect("ready")
        terminal.send(b"\x1a")
        terminal.expect("stopped: 148")
        terminal.send("\n")
        terminal.expect("resumed")
        terminal.expect("ended: 0")
        assert terminal.wait() == 0


def test_our_line_is_the_last(applied: Twins) -> None:
    """The line of tfevents is the last on the screen, after all output of terraform."""
    for words in (["plan"], ["apply", "-auto-approve"], ["destroy", "-auto-approve"]):
        with Terminal([TF, *words], env=applied.env, cwd=applied.ours) as terminal:
            terminal.wait()
            last = terminal.screen.rstrip("\n").splitlines()[-1]
            assert re.match(r"tfevents: (plan|active|inactive)", last)


@pytest.mark.exhaustive
def test_the_journal_knows_how_a_question_ended(applied: Twins) -> None:
    """The journal tells a declined approval, an end of input and an interrupt apart."""
    told = {}
    for name, keys in (("declined", b"no\n"), ("eof", b"\x04"), ("interrupted", b"\x03")):
        command = [TF, "apply", "-var", "v=x"]
        with Terminal(command, env=applied.env, cwd=applied.ours) as terminal:
            typing(keys)(terminal)
            terminal.wait()
        with Terminal([TF.with_name("tfevents"), "log", "--json"], env=applied.env) as log:
            log.wait()
            told[name] = log.screen
    for name, text in told.items():
        assert f'"approval": "{name}"' in json.dumps(json.loads(text)), name


def test_nothing_of_ours_is_left_in_the_terminal(tmp_path: Path) -> None:
    """After a run the terminal's settings (`stty -a`) are the same as before."""
    engine = script_engine(tmp_path / "terraform", "sys.exit(2 if argv[0] == 'plan' else 0)\n")
    (tmp_path / "main.tf").touch()
    env = clean_env(tmp_path / "home", engine)
    shell = f"stty -a >before; {TF} destroy -auto-approve; stty -a >after; cmp before after && echo same"  # noqa: E501
    with Terminal(["/bin/sh", "-c", shell], env=env, cwd=tmp_path) as terminal:
        terminal.expect("same")
        assert terminal.wait() == 0
    assert os.stat(tmp_path / "before").st_size > 0
