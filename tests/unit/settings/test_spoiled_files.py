"""Whatever stands in a settings file: its fields, or one line that says what is wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from support.paths import README

from tfevents.errors import SettingError, UnreadableDocument
from tfevents.settings import file_format, workspace_file

ROUNDS = 1500
HCL = [
    *re.findall(r"^```hcl\n(.*?)^```$", README, re.MULTILINE | re.DOTALL),
    'timeout = 3 # x\n/* y */ ca_bundle = "a\\u00fc$${}" // z\nharness { url = "x" }\n',
]
YAML = [
    "org_id: a\nproject_id: 'b'\n# c\nworkspace_id: \"d\"\n",
    "{org_id: a, project_id: [1], x: &a {b: *a}}\n---\n",
    "? [a]\n: b\norg_id: !!str 1\nx: |\n  y\n",
]
PIECES = [*'{}"\\/*#$%\n\r\t =<-[]().,:?!&|aü\0\u2028😀1', "${", "<<EOT\n", "*/", "\\u", "---\n"]


def spoiled(text: str, dice: random.Random) -> str:
    """With some of it gone, doubled, or something else in between."""
    for _ in range(dice.randint(1, 6)):
        at, other = dice.randint(0, len(text)), dice.randint(0, len(text))
        piece = dice.choice((dice.choice(PIECES), text[other : other + dice.randint(1, 30)]))
        text = text[:at] + piece + text[at + dice.choice((0, 0, 1, dice.randint(1, 9))) :]
    return text


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("parse", "texts"),
    [(file_format.parse_settings_file, HCL), (workspace_file.parse_workspace_file, YAML)],
)
def test_spoiled_text_is_read_or_told(
    parse: Callable[[str, str], object], texts: list[str], seed: int
) -> None:
    """In one line that begins with the file; nothing else is ever raised."""
    dice = random.Random(seed)
    read = 0
    for _ in range(ROUNDS):
        text = spoiled(dice.choice(texts), dice)
        try:
            parse(text, "file")
            read += 1
        except (SettingError, UnreadableDocument) as error:
            assert re.fullmatch(r"file, line \d+[,:][^\n]+", str(error)), (text, error)
    assert 0 < read < ROUNDS


@pytest.mark.parametrize(
    "text", ["{", "[", "/*", "/**/", '"\\"', "${", "# ", "a = 1\n", "a:\n ", "&a "]
)
def test_64_kib_of_anything_are_read_or_told(text: str) -> None:
    """Whatever nests or repeats."""
    for parse in (file_format.parse_settings_file, workspace_file.parse_workspace_file):
        for whole in (text * (65536 // len(text)), "org_id: " + text * 9000, "x = " + text * 9000):
            try:
                parse(whole, "file")
            except (SettingError, UnreadableDocument) as error:
                assert str(error).startswith("file, line ")
