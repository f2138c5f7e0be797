"""The flags of a random run's turn for a plan by hand, and scripts in files:
tests/support/runs/script.py."""

from __future__ import annotations

from pathlib import Path

from support.runs.script import Script, Turn, read_script, write_script


def test_a_plan_by_hand_has_the_flags_of_the_environment_and_of_the_command() -> None:
    env = {"TF_CLI_ARGS_destroy": "-json '-var=v=b c'", "TF_CLI_ARGS_plan": "-refresh=false"}
    turn = Turn(("destroy", "-auto-approve", "-target=a.b", "-out=x"), env=env)
    assert turn.planned == ("-var=v=b c", "-target=a.b", "-destroy")
    assert (turn.has("-json"), turn.has("-refresh"), turn.destroys) == (True, False, True)


def test_a_saved_plan_has_no_plan_by_hand_and_is_planned_where_it_cannot_be_saved() -> None:
    turn = Turn(("apply", "saved.plan"), {"a.txt": "x"}, saved=("-destroy",))
    assert turn.planned is None
    assert turn.destroys
    assert turn.as_plan() == Turn(("plan", "-destroy"), {"a.txt": "x"})


def test_a_script_is_read_as_it_was_written(tmp_path: Path) -> None:
    turns = (Turn(("plan",), {"a": "ü", "b": None}, before=(("taint", "a.b"),), chdir=True),)
    script = Script("terraform", turns, "events")
    write_script(tmp_path / "x.json", script)
    assert read_script(tmp_path / "x.json") == script
