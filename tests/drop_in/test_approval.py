"""Terraform's own question, byte for byte; test_terminal.py holds it against terraform itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tfevents.approval import Question, diagnostic
from tfevents.plan import Mode


def question(mode: Mode = Mode.NORMAL, **changes: object) -> Question:
    given = {"mode": mode, "tf_workspace": "default", "product": "Terraform", "color": False}
    return Question(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (question(), "Do you want to perform these actions?"),
        (
            question(tf_workspace="blue"),
            'Do you want to perform these actions in workspace "blue"?',
        ),
        (question(Mode.DESTROY), "Do you really want to destroy all resources?"),
        (
            question(Mode.DESTROY, tf_workspace="blue"),
            'Do you really want to destroy all resources in workspace "blue"?',
        ),
        (
            question(Mode.REFRESH_ONLY, product="OpenTofu"),
            "Would you like to update the OpenTofu state to reflect these detected changes?",
        ),
        (
            question(Mode.REFRESH_ONLY, tf_workspace="blue"),
            'Would you like to update the Terraform state for "blue" to reflect these detected'
            " changes?",
        ),
    ],
)
def test_the_question_goes_by_mode_workspace_and_tool(asked: Question, line: str) -> None:
    """Its first line, as terraform and tofu have it."""
    assert asked.text().splitlines()[1] == line


def test_the_whole_of_it_without_colour() -> None:
    """Nothing but text with -no-color."""
    assert question(product="OpenTofu").text() == (
        "\nDo you want to perform these actions?\n"
        "  OpenTofu will perform the actions described above.\n"
        "  Only 'yes' will be accepted to approve.\n\n"
        "  Enter a value: "
    )


def test_the_whole_of_it_with_colour() -> None:
    """Terraform colours it, terminal or not."""
    assert question(Mode.DESTROY, color=True).text() == (
        "\x1b[0m\x1b[1m\nDo you really want to destroy all resources?\x1b[0m\n"
        "  Terraform will destroy all your managed infrastructure, as shown above.\n"
        "  There is no undo. Only 'yes' will be accepted to confirm.\n\n"
        "  \x1b[1mEnter a value:\x1b[0m \x1b[0m"
    )


@pytest.mark.parametrize(
    ("mode", "word"),
    [(Mode.NORMAL, "Apply"), (Mode.REFRESH_ONLY, "Apply"), (Mode.DESTROY, "Destroy")],
)
def test_a_refusal_is_named_by_the_mode(mode: Mode, word: str) -> None:
    """`apply -destroy` cancels a destroy."""
    assert question(mode).cancelled() == f"{word} cancelled.\n"


@pytest.mark.parametrize(
    ("product", "number", "reason"),
    [
        ("Terraform", signal.SIGINT, "interrupted"),
        ("Terraform", signal.SIGTERM, "context canceled"),
        ("OpenTofu", signal.SIGINT, "interrupted: context canceled"),
        ("OpenTofu", signal.SIGTERM, "context canceled"),
    ],
)
def test_an_interruption_is_named_by_its_signal(product: str, number: int, reason: str) -> None:
    """Input listens to Ctrl-C; the rest cancels its context."""
    assert question(product=product).interrupted(number) == reason


def test_an_error_has_terraforms_box() -> None:
    """With colour it stands in a box, without it is plain."""
    assert diagnostic("no", color=False) == "\nError: no\n\n"
    assert diagnostic("no", color=True).splitlines()[1] == (
        "\x1b[31m│\x1b[0m \x1b[0m\x1b[1m\x1b[31mError: \x1b[0m\x1b[0m\x1b[1mno\x1b[0m"
    )


TAKEN_ELSEWHERE = """
import os, signal, threading
from tfevents.approval import Approval, Question, ask
from tfevents.plan import Mode
from tfevents.signals import Watch

def send():
    while not watch.asking:
        idle.wait(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    idle.wait()

idle = threading.Event()
with Watch() as watch:
    threading.Thread(target=send, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    answer = ask(Question(Mode.NORMAL, "default", "Terraform", color=False), watch)
    os._exit(42 if answer is Approval.INTERRUPTED else 1)
"""


def test_a_signal_that_another_thread_takes_ends_the_question() -> None:
    """The kernel chooses the thread; the one that reads would go on reading."""
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", TAKEN_ELSEWHERE],
            stdin=reading,
            capture_output=True,
            check=False,
            timeout=30,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 42, done.stderr
