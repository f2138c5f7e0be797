"""A stand-in for an engine answers as the recorded engine did, byte for byte."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from support.engines import clean_env
from support.standin import OPENTOFU, TERRAFORM, Standin, script_engine, signals_of, standin
from support.terminal import Terminal

SCENARIOS = sorted(
    folder for engine in (OPENTOFU, TERRAFORM) for folder in engine.glob("*") if folder.is_dir()
)
REPLAYED = [folder for folder in SCENARIOS if not folder.name.startswith("prompt_")]
PROMPTS = [folder for folder in SCENARIOS if folder.name.startswith("prompt_")]


def name(folder: Path) -> str:
    return f"{folder.parent.name.split('-')[0]}-{folder.name}"


def make(folder: Path, directory: Path) -> Standin:
    return standin(folder, directory / ("tofu" if folder.parent == OPENTOFU else "terraform"))


def run(engine: Standin, *words: str, **more: str) -> tuple[int, bytes, bytes]:
    directory = engine.path.parent
    done = subprocess.run(
        [engine.path, *words],
        env={**clean_env(directory / "home"), **more},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def recorded(folder: Path, file: str) -> bytes:
    path = folder / file
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("folder", REPLAYED, ids=name)
def test_a_plan_is_replayed(folder: Path, tmp_path: Path) -> None:
    engine, codes = make(folder, tmp_path), json.loads(recorded(folder, "exit_codes.json"))
    words = ["plan", "-detailed-exitcode", "-out=plan.tfplan"]
    if lines := recorded(folder, "plan.into.jsonl"):
        words.append("-json-into=into")
    out, err = recorded(folder, "plan.stdout.txt"), recorded(folder, "plan.stderr.txt")
    assert run(engine, *words) == (codes["plan"], out, err)
    assert (tmp_path / "plan.tfplan").read_bytes() == recorded(folder, "plan.tfplan")
    assert not lines or (tmp_path / "into").read_bytes() == lines
    shown = run(engine, "show", "-json", "plan.tfplan")
    assert shown == (codes["show"], recorded(folder, "plan.json"), b"")
    assert run(engine, "plan")[0] == (1 if codes["plan"] == 1 else 0)
    assert run(engine, "state", "pull") == (0, recorded(folder, "state_before.json"), b"")


@pytest.mark.parametrize("folder", REPLAYED, ids=name)
def test_an_apply_is_replayed(folder: Path, tmp_path: Path) -> None:
    engine, codes = make(folder, tmp_path), json.loads(recorded(folder, "exit_codes.json"))
    command = "destroy" if folder.name.startswith("destroy") else "apply"
    words, out = [command, "-auto-approve"], recorded(folder, "apply.stdout.txt")
    if folder.parent == OPENTOFU:
        words.append("-json-into=into")
    else:
        words, out = [*words, "-json"], recorded(folder, "apply.stream.jsonl")
    assert run(engine, *words) == (codes["apply"], out, recorded(folder, "apply.stderr.txt"))
    if folder.parent == OPENTOFU:
        assert (tmp_path / "into").read_bytes() == recorded(folder, "apply.into.jsonl")
        assert stat.S_IMODE((tmp_path / "into").stat().st_mode) == 0o600
    assert run(engine, "state", "pull") == (0, recorded(folder, "state_after.json"), b"")


@pytest.mark.parametrize("folder", REPLAYED, ids=name)
def test_plan_and_apply_print_what_one_apply_prints(folder: Path, tmp_path: Path) -> None:
    """A plan and the apply of that plan together print what `apply -auto-approve` prints."""
    engine = make(folder, tmp_path)
    planned = run(engine, "plan", "-out=p", TF_IN_AUTOMATION="1")
    applied = run(engine, "apply", "p")
    whole = run(engine, "apply", "-auto-approve")
    if planned[0] == 1:
        assert applied[0] == 1 and b"incomplete plan" in applied[2]
        return
    assert applied[0] == whole[0]
    halves = _comparable(planned[1] + applied[1])
    if b"Warning: " in whole[1]:  # with a saved plan, warnings come before the apply
        assert sorted(filter(None, halves)) == sorted(filter(None, _comparable(whole[1])))
    else:
        assert halves == _comparable(whole[1])
    assert b"Destroy complete!" not in whole[1]


def _comparable(printed: bytes) -> list[bytes]:
    """The lines, without those of the refresh, which come in any order."""
    return [line for line in printed.splitlines() if b"Refreshing state..." not in line]


def test_terraform_says_what_its_stream_said(tmp_path: Path) -> None:
    """A destroy of terraform prints the recorded plan's text and ends with the closing line."""
    engine = make(TERRAFORM / "destroy", tmp_path)
    said = run(engine, "destroy", "-auto-approve")[1].decode()
    assert said.startswith(recorded(TERRAFORM / "destroy", "plan.stdout.txt").decode()[:200])
    assert said.endswith("complete after 0s\n\nDestroy complete! Resources: 2 destroyed.\n")


@pytest.mark.parametrize(
    ("engine", "first", "version"),
    [
        (OPENTOFU, b"OpenTofu v1.13.0-dev", "1.13.0-dev"),
        (TERRAFORM, b"Terraform v1.17.0-dev", "1.17.0-dev"),
    ],
)
def test_versions(engine: Path, first: bytes, version: str, tmp_path: Path) -> None:
    made = make(engine / "create", tmp_path)
    assert run(made, "version") == (0, first + b"\non linux_amd64\n", b"")
    assert json.loads(run(made, "version", "-json")[1])["terraform_version"] == version


REFUSED = [
    ["plan", "-auto-approve"],
    ["plan", "-suppress-forget-errors"],
    ["plan", "plan.tfplan"],
    ["plan", "-json", "-json-into=x"],
    ["plan", "-json-into=no/such/directory"],
    ["apply", "-auto-approve", "-json", "-json-into=x"],
    ["apply", "-out=x"],
    ["apply", "-detailed-exitcode"],
    ["apply", "-json"],
    ["apply", "nothing.tfplan"],
    ["apply", "plan.tfplan", "-json"],
    ["destroy", "plan.tfplan"],
    ["show", "-json", "main.tf"],
    ["plan", "-out"],
]


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_a_real_one_refuses_is_refused(words: list[str], tmp_path: Path) -> None:
    """Arguments that a real engine refuses are refused, and nothing is applied."""
    engine = make(OPENTOFU / "create", tmp_path)
    run(engine, "plan", "-out=plan.tfplan")
    code, out, err = run(engine, *words)
    assert (code, out) == (1, b"")
    assert b"Error: " in err
    assert run(engine, "state", "pull")[1] == b""


def test_terraform_knows_no_flags_of_opentofu(tmp_path: Path) -> None:
    engine = make(TERRAFORM / "create", tmp_path)
    assert run(engine, "plan", "-json-into=x")[0] == 1
    assert run(engine, "apply", "-auto-approve", "-suppress-forget-errors")[0] == 1


def test_what_was_not_recorded_is_not_invented(tmp_path: Path) -> None:
    """Commands that were not recorded exit with 70."""
    engine = make(OPENTOFU / "create", tmp_path)
    for words in (["state", "list"], ["show", "-json"], ["apply"], ["import", "a", "b"]):
        code, _, err = run(engine, *words)
        assert code == 70 and b"not recorded" in err


def test_flags_from_the_environment_and_chdir_count(tmp_path: Path) -> None:
    engine = make(OPENTOFU / "create", tmp_path)
    (tmp_path / "sub").mkdir()
    code, out, _ = run(
        engine, "-chdir=sub", "plan", TF_CLI_ARGS_plan="-out 'a b' -detailed-exitcode"
    )
    assert code == 2
    assert (tmp_path / "sub" / "a b").exists()
    assert b"Saved the plan to: a b\n" in out
    run(engine, "plan", "--out", "own", TF_CLI_ARGS="-out=other")
    assert (tmp_path / "own").exists() and not (tmp_path / "other").exists()


def test_each_invocation_is_noted(tmp_path: Path) -> None:
    engine = make(OPENTOFU / "create", tmp_path)
    run(engine, "plan", "-out=p", TF_IN_AUTOMATION="1", TF_CLI_ARGS_plan="-no-color")
    with Terminal([engine.path, "version"], env=clean_env(tmp_path / "home")) as terminal:
        terminal.wait()
    first, second = engine.invocations
    assert first["argv"] == ["plan", "-out=p"]
    assert first["env"]["TF_IN_AUTOMATION"] == "1"
    assert first["env"]["TF_CLI_ARGS_plan"] == "-no-color"
    assert first["cwd"] == str(tmp_path)
    assert (first["isatty"], second["isatty"]) == ([False] * 3, [True] * 3)


def test_a_fifo_is_written_line_by_line(tmp_path: Path) -> None:
    folder = OPENTOFU / "create"
    engine = standin(folder, tmp_path / "tofu", pause=0.05)
    os.mkfifo(tmp_path / "fifo")
    arrivals: list[tuple[float, bytes]] = []

    def listen() -> None:
        with open(tmp_path / "fifo", "rb", buffering=0) as fifo:
            while chunk := fifo.read(65536):
                arrivals.append((time.monotonic(), chunk))

    listener = threading.Thread(target=listen)
    listener.start()
    run(engine, "apply", "-auto-approve", "-json-into=fifo")
    listener.join(5)
    assert b"".join(chunk for _, chunk in arrivals) == recorded(folder, "apply.into.jsonl")
    assert len(arrivals) > 5 and arrivals[-1][0] - arrivals[0][0] > 0.25


def test_a_reader_that_goes_away_does_no_harm(tmp_path: Path) -> None:
    engine = standin(OPENTOFU / "create", tmp_path / "tofu", pause=0.05)
    os.mkfifo(tmp_path / "fifo")

    def listen() -> None:
        with open(tmp_path / "fifo", "rb", buffering=0) as fifo:
            fifo.read(10)

    listener = threading.Thread(target=listen)
    listener.start()
    assert run(engine, "apply", "-auto-approve", "-json-into=fifo")[0] == 0
    listener.join(5)


@pytest.mark.parametrize("folder", PROMPTS, ids=name)
def test_a_prompt_is_replayed_in_a_terminal(folder: Path, tmp_path: Path) -> None:
    engine = make(folder, tmp_path)
    env = clean_env(tmp_path / "home")
    with Terminal([engine.path, "apply", "-json-into=into"], env=env, cwd=tmp_path) as terminal:
        terminal.expect("Enter a value: ")
        before = (tmp_path / "into").read_bytes()
        _ANSWERS[folder.name](terminal)
        code = json.loads(recorded(folder, "exit_codes.json"))["apply"]
        assert terminal.wait() == code
    assert terminal.output == recorded(folder, "terminal.txt")
    assert (tmp_path / "into").read_bytes() == recorded(folder, "apply.into.jsonl")
    assert b'"change_summary"' in before and before in recorded(folder, "apply.into.jsonl")


_ANSWERS = {
    "prompt_approved": lambda terminal: terminal.send("yes\n"),
    "prompt_declined": lambda terminal: terminal.send("no\n"),
    "prompt_eof_at_prompt": Terminal.end_of_input,
    "prompt_interrupted_at_prompt": Terminal.interrupt,
}


def test_a_prompt_follows_what_really_happens(tmp_path: Path) -> None:
    """The stand-in for a recorded approval cancels the apply at another answer, and fails at the
    end of input, as the engine does."""
    engine = make(OPENTOFU / "prompt_approved", tmp_path)
    with Terminal([engine.path, "apply"], env=clean_env(tmp_path / "home")) as terminal:
        terminal.expect("Enter a value: ")
        terminal.send("YES\n")
        assert terminal.wait() == 1
        assert "Apply cancelled." in terminal.screen
    code, out, err = run(engine, "apply")
    assert (code, err) == (1, b"\nError: error asking for approval: EOF\n\n")
    assert out.endswith(b"Enter a value: ")


def test_the_state_after_can_be_chosen(tmp_path: Path) -> None:
    after = OPENTOFU / "noop" / "state_before.json"
    engine = standin(OPENTOFU / "prompt_approved", tmp_path / "tofu", state_after=after)
    assert run(engine, "state", "pull")[1] == b""
    env, apply = clean_env(tmp_path / "home"), (engine.path, "apply")
    subprocess.run(apply, env=env, input=b"yes\n", capture_output=True, check=True)
    assert run(engine, "state", "pull")[1] == after.read_bytes()


def test_a_script_can_count_signals_hang_and_die(tmp_path: Path) -> None:
    source = "count(signal.SIGINT, signal.SIGTERM)\nsay('ready ' + argv[0])\nhang()"
    engine = script_engine(tmp_path / "terraform", source)
    with Terminal([engine, "plan"], env=clean_env(tmp_path / "home")) as terminal:
        terminal.expect("ready plan")
        begun = time.monotonic()
        terminal.interrupt()
        _until(lambda: len(signals_of(engine)) == 1)
        terminal.kill(signal.SIGTERM)
        _until(lambda: len(signals_of(engine)) == 2)
    assert [name for name, _ in signals_of(engine)] == ["SIGINT", "SIGTERM"]
    assert all(at >= begun for _, at in signals_of(engine))
    dying = script_engine(tmp_path / "dying", "die(signal.SIGKILL)")
    assert subprocess.run([dying], check=False).returncode == -signal.SIGKILL
    flood = script_engine(tmp_path / "flood", "for _ in range(20): say('x' * 100_000)")
    assert len(subprocess.run([flood], capture_output=True, check=True).stdout) == 2_000_020


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
