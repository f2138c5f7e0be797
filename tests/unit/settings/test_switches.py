"""Switches that are read before or without all other settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfevents.settings.load import read_early_settings
from tfevents.settings.switches import is_on


@pytest.mark.parametrize("name", ["direct", "strict", "quiet"])
def test_the_variable_is_stronger_than_the_users_file(tmp_path: Path, name: str) -> None:
    """A switch's variable takes precedence over the user's file, unless it is empty; a broken file
    switches nothing on."""
    env = {"XDG_CONFIG_HOME": str(tmp_path), "TFEVENTS_HOME": "/nowhere"}
    variable = f"TFEVENTS_{name.upper()}"
    assert not is_on(name, env)
    assert is_on(name, {**env, variable: " Yes "})
    config = tmp_path / "tfevents" / "config.hcl"
    config.parent.mkdir()
    config.write_text(f"{name} = true\n")
    assert is_on(name, env)
    assert is_on(name, {**env, variable: ""})
    assert not is_on(name, {**env, variable: "0"})
    assert not is_on(name, {**env, variable: "maybe"})
    if name != "direct":
        assert getattr(read_early_settings(env), name)
    for text in (f"{name} = false", "harness {", f"{name} = []"):
        config.write_text(text)
        assert not is_on(name, env)
