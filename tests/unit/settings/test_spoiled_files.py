"""Whatever a settings file or a variable for metadata contains, its fields are read, or one line
says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support.fuzzing import Examples
from support.paths import README
from support.spoiled_text import spoil_text

from tfevents.context.overrides import METADATA_PREFIX, gather_valid_overrides, parse_overrides
from tfevents.errors import SettingError, UnreadableDocument
from tfevents.events.schema import metadata_fields
from tfevents.settings import file_format, workspace_file

HCL = [
    *re.findall(r"^```hcl\n(.*?)^```$", README, re.MULTILINE | re.DOTALL),
    'timeout = 3 # x\n/* y */ ca_bundle = "a\\u00fc$${}" // z\nharness { url = "x" }\n',
]
YAML = [
    "org_id: a\nproject_id: 'b'\n# c\nworkspace_id: \"d\"\n",
    "{org_id: a, project_id: [1], x: &a {b: *a}}\n---\n",
    "? [a]\n: b\norg_id: !!str 1\nx: |\n  y\n",
]
TOLD = [
    *("text", "true", "3", "[1]", "0" * 40, "https://h.example/o/r.git"),
    *('{"added": 1, "changed": 0}', '{"url": "https://h.example/a", "actor": [{}]}'),
]


@pytest.mark.fuzz("settings", 6000)
@pytest.mark.parametrize(
    ("parse", "texts"),
    [(file_format.parse_settings_file, HCL), (workspace_file.parse_workspace_file, YAML)],
)
def test_spoiled_text_is_read_or_told(
    parse: Callable[[str, str], object], texts: list[str], examples: Examples
) -> None:
    """A spoiled settings file is read or refused, in one line that begins with the file's name; no
    other error is raised."""
    read = 0
    for dice in examples:
        text = spoil_text(dice.choice(texts), dice)
        try:
            parse(text, "file")
            read += 1
        except (SettingError, UnreadableDocument) as error:
            assert re.fullmatch(r"file, line \d+[,:][^\n]+", str(error)), (text, error)
    examples.check_both(read)


@pytest.mark.parametrize(
    "text", ["{", "[", "/*", "/**/", '"\\"', "${", "# ", "a = 1\n", "a:\n ", "&a "]
)
def test_64_kib_of_anything_are_read_or_told(text: str) -> None:
    """64 KiB of any nested or repeated text are read or refused with the right error."""
    for parse in (file_format.parse_settings_file, workspace_file.parse_workspace_file):
        for whole in (text * (65536 // len(text)), "org_id: " + text * 9000, "x = " + text * 9000):
            try:
                parse(whole, "file")
            except (SettingError, UnreadableDocument) as error:
                assert str(error).startswith("file, line ")


@pytest.mark.fuzz("told metadata", 1500)
def test_spoiled_metadata_is_taken_or_told(examples: Examples) -> None:
    """A spoiled value for metadata is accepted, or refused in one line that names the variable."""
    fields = metadata_fields()
    taken = 0
    for dice in examples:
        variable = METADATA_PREFIX + dice.choice([*fields]).upper()
        env = {variable: spoil_text(dice.choice(TOLD), dice)}
        valid, wrong = gather_valid_overrides(env)
        taken += bool(valid)
        assert all(re.fullmatch(rf"{variable}: [^\n]+", str(error)) for error in wrong), env
        try:
            parse_overrides(env, fields)
        except SettingError as error:
            assert [str(error)] == [str(other) for other in wrong]
    examples.check_both(taken)
