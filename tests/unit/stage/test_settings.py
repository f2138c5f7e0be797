"""How PLUGIN_* variables become the environment of a stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfevents.stage.settings import make_environment, parse_stage


@pytest.mark.parametrize("name", ["API_KEY_FILE", "CA_BUNDLE", "COST_FILE", "HOME"])
@pytest.mark.parametrize("prefix", ["PLUGIN_", "TFEVENTS_"])
def test_a_path_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, prefix: str
) -> None:
    """A relative path is of the working directory, not of PLUGIN_ROOT_DIR."""
    (tmp_path / "live").mkdir()
    monkeypatch.chdir(tmp_path)
    stage = parse_stage({"PLUGIN_ROOT_DIR": "live", f"{prefix}{name}": "a/b"})
    assert stage.directory == str(tmp_path / "live")
    assert stage.env[f"TFEVENTS_{name}"] == str(tmp_path / "a/b")


@pytest.mark.parametrize(
    ("given", "found"), [("tofu", "tofu"), ("./tofu", "{}/tofu"), ("/opt/tofu", "/opt/tofu")]
)
def test_a_provisioner_is_a_name_or_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, found: str
) -> None:
    """A provisioner without a slash stays a name, which is looked up on PATH."""
    monkeypatch.chdir(tmp_path)
    environment = make_environment({"PLUGIN_PROVISIONER": given})
    assert environment["TFEVENTS_PROVISIONER"] == found.format(tmp_path)


def test_a_blank_variable_counts_as_not_set() -> None:
    """A TFEVENTS_* variable of spaces does not take precedence over PLUGIN_*."""
    environment = make_environment({"TFEVENTS_ORG": " ", "PLUGIN_ORG": "o"})
    assert environment["TFEVENTS_ORG"] == "o"
