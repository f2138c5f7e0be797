"""Whatever a pipeline passes as PLUGIN_*, it gives a stage, or an error of one line that names the
variable."""

from __future__ import annotations

import json
import re

import pytest
from support.fuzzing import Examples
from support.spoiled_text import spoil_text

from tfevents.errors import SettingError
from tfevents.stage.settings import COMMANDS, parse_stage
from tfevents.terminal import printable

ENDPOINT = json.dumps({"base_url": "https://h.example", "account_id": "a", "token": "CANARY"})
GOOD = {
    "PLUGIN_COMMAND": "plan",
    "PLUGIN_ARGS": "-var 'a=b c' -target=\"x\"",
    "PLUGIN_INIT": "auto",
    "PLUGIN_ROOT_DIR": ".",
    "PLUGIN_ENDPOINT_VARIABLES": ENDPOINT,
    "PLUGIN_WORKSPACE": "prod",
}


@pytest.mark.fuzz("stage settings", 2000)
def test_spoiled_settings_are_taken_or_told(examples: Examples) -> None:
    """Spoiled PLUGIN_* variables are accepted, or refused in one line that does not contain the API
    key."""
    taken = 0
    for dice in examples:
        env = {**GOOD, **{n: spoil_text(GOOD[n], dice) for n in dice.sample([*GOOD], 2)}}
        try:
            stage = parse_stage(env)
        except SettingError as error:
            line = printable(str(error))
            assert re.fullmatch(r"PLUGIN_[A-Z_]+: .+", line), env
            assert "CANARY" not in line
            continue
        taken += 1
        assert stage.command in (*COMMANDS, "stage-complete")
        assert all(isinstance(text, str) for text in stage.env.values())
    examples.check_both(taken)
