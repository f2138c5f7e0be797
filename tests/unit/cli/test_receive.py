"""`tfevents receive` stores nothing in a directory that nobody named."""

from __future__ import annotations

import pytest

from tfevents.cli.setup.receive import receive
from tfevents.errors import SettingError
from tfevents.settings import home


@pytest.mark.parametrize("words", [[], ["--forward", "https://app.harness.io"]])
def test_a_user_without_a_home_directory(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """Without a home directory `--home` is required: events and keys must not get into the working
    directory, which may be a checkout."""
    monkeypatch.setattr(home, "find_home", lambda _: "")
    with pytest.raises(SettingError, match=r"^--home: "):
        receive.main([*words, "--port", "0"], standalone_mode=False)
