"""A random run that shows a fault is shrunk: tests/support/runs/shrink.py."""

from __future__ import annotations

from support.runs.script import Script, Turn
from support.runs.shrink import name_block, shrink, split_block

CHECK = """\
resource "a" "x" {
  count = 2
  lifecycle {
    precondition {
      condition = true
    }
  }
}
"""
OTHER = 'resource "a" "y" {\n  name = "${var.y}"\n}\n'
MOVED = "moved {\n  from = a.x\n  to   = a.y\n}\n"
LONG = Script(
    "terraform",
    (
        Turn(("apply", "-auto-approve", "-no-color"), {"main.tf": MOVED + CHECK + OTHER}),
        Turn(("plan", "-refresh=false")),
        Turn(("apply", "-json", "saved.plan"), {"x.trouble": "late"}, saved=("-destroy", "-json")),
        Turn(("destroy",), {"main.tf": CHECK, "y.trouble": None}, "no\n"),
    ),
)


def saves(script: Script) -> bool:
    """Whether a plan to destroy is saved and applied, and some file has a count."""
    if not any(turn.saved and "-destroy" in turn.saved for turn in script.turns):
        return False
    return any("count = 2" in (text or "") for turn in script.turns for text in turn.files.values())


def fails_never(_: Script) -> bool:
    return False


def test_what_is_left_is_what_it_takes() -> None:
    """Only the turns, files, flags and lines that the fault needs are left."""
    block = 'resource "a" "x" {\n  count = 2\n}\n'
    saved = Turn(("apply", "saved.plan"), {}, saved=("-destroy",))
    last = Turn(("destroy",), {"main.tf": block}, "no\n")
    assert shrink(LONG, saves, 1000).turns == (saved, last)


def test_nothing_is_taken_from_what_shows_nothing_else() -> None:
    """A script is unchanged if no smaller one fails."""
    assert shrink(LONG, fails_never, 1000) == LONG


def test_attempts_have_an_end() -> None:
    assert shrink(LONG, saves, 0) == LONG
    assert len(shrink(LONG, saves, 1).turns) == 3


def test_a_block_is_known_by_its_labels_else_by_its_text() -> None:
    assert name_block(CHECK) == 'resource "a" "x" {'
    assert name_block(MOVED) == MOVED


def test_a_block_comes_apart_in_lines_and_inner_blocks() -> None:
    count, lifecycle = split_block(CHECK)
    assert count == "  count = 2\n"
    assert lifecycle.startswith("  lifecycle {\n") and lifecycle.endswith("\n  }\n")
    assert split_block(OTHER) == ['  name = "${var.y}"\n']
