"""Under the wrapper of GitHub's setup actions, a step's outputs are those of the user's command
only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.engines import opentofu_1_6_2, terraform
from support.exhaustive import exhaustive_except
from support.setup_action import install_wrapper, parse_outputs
from support.stage import Stage
from support.warm import run_tfevents

from tfevents.terraform.binary import find_unwrapped

ONE = 'resource "terraform_data" "a" {\n  input = 1\n}\n'
ENGINES = {"terraform": terraform, "tofu": opentofu_1_6_2}


@pytest.fixture(params=exhaustive_except(ENGINES, "terraform"))
def wrapped(stage: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> Stage:
    """A project where the wrapper is the only provisioner on PATH."""
    find_engine: Callable[[], Path] = ENGINES[request.param]
    folder = tmp_path / "cli"
    stage.env.update(install_wrapper(folder, find_engine()))
    stage.env["PATH"] = f"{folder}:{stage.env['PATH']}"
    stage.env["TFEVENTS_PROVISIONER"] = request.param
    stage.env["GITHUB_OUTPUT"] = str(tmp_path / "outputs")
    stage.write(ONE)
    return stage


def outputs(stage: Stage) -> list[tuple[str, str]]:
    """The step's outputs, as names and values."""
    return parse_outputs(Path(stage.env["GITHUB_OUTPUT"]).read_text())


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("plan", "-no-color"), "1 to add"),
        (("apply", "-auto-approve"), "Apply complete!"),
        (("refresh",), ""),
    ],
)
def test_a_run_asks_past_the_wrapper(wrapped: Stage, words: tuple[str, ...], says: str) -> None:
    """`tf` reads version, state and plan without the wrapper, so the step's outputs are those of
    the run alone."""
    events = wrapped.run(*words, TFEVENTS_PLAN_READER="json")
    (out, _, code) = outputs(wrapped)
    assert (out[0], code) == ("stdout", ("exitcode", "0"))
    assert says in out[1]
    assert events[-1].metadata["provisioner_version"]
    assert words[0] == "refresh" or events[-1].counts() == "a1"


def test_a_hook_asks_past_the_wrapper(wrapped: Stage) -> None:
    """`tfevents hook` reads version and state without the wrapper, so it adds nothing to the step's
    outputs."""
    for words in (("before", "apply"), ("after", "apply", "--exit-code", "0")):
        run_tfevents(["hook", *words], env=wrapped.env, cwd=wrapped.project)
    assert not Path(wrapped.env["GITHUB_OUTPUT"]).exists()
    assert wrapped.heard()[-1].metadata["provisioner_version"]


def test_only_the_actions_wrapper_is_passed_by(tmp_path: Path) -> None:
    """Only the setup actions' wrapper is bypassed, not a version manager's script; without the real
    binary beside it, the wrapper itself is used."""
    folder = tmp_path / "cli"
    env = install_wrapper(folder, terraform())
    wrapper, real = folder / "terraform", folder / "terraform-bin"
    assert find_unwrapped(str(wrapper), {}) == find_unwrapped(str(wrapper), env) == str(real)
    manager = tmp_path / "terraform"
    manager.write_text('#!/bin/sh\nexec /opt/versions/1.9/terraform "$@"\n')
    manager.chmod(0o755)
    for path in (manager, real, terraform()):
        assert find_unwrapped(str(path), env) == str(path)
    real.unlink()
    assert find_unwrapped(str(wrapper), env) == str(wrapper)
