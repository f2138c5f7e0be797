"""Harness' own .harness/workspace.yaml names the workspace of a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfevents.errors import SettingError
from tfevents.settings.load import load_settings

FILE = "org_id: yaml-org\nproject_id: yaml-project\nworkspace_id: yaml-workspace\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a directory in it."""
    place = tmp_path / "checkout"
    (place / ".git").mkdir(parents=True)
    (place / "live").mkdir()
    return place


def environment(checkout: Path, **more: str) -> dict[str, str]:
    """The variables for home and the user's configuration, beside the checkout, and these."""
    home, config = str(checkout.parent / "home"), str(checkout.parent / "config")
    return {"TFEVENTS_HOME": home, "XDG_CONFIG_HOME": config, **more}


def write(place: Path, text: str) -> Path:
    """Writes a directory's .harness/workspace.yaml; returns its path."""
    path = place / ".harness" / "workspace.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_it_says_whose_workspace_this_is(checkout: Path) -> None:
    """The file in the git root applies to every directory below, and the line of each field is
    known."""
    path = write(checkout, "# ours\n" + FILE + "tags: [a]\n")
    found = load_settings(environment(checkout), str(checkout / "live"))
    assert (found.org, found.project) == ("yaml-org", "yaml-project")
    assert found.workspace == "yaml-workspace"
    assert found.sources["project"] == f"{path}, line 3, project_id"


def test_the_nearest_one_counts(checkout: Path) -> None:
    """Only the nearest file is used, as with .tfevents.hcl: fields that it lacks are not taken from
    one above."""
    write(checkout, FILE)
    write(checkout / "live", "org_id: near\n")
    found = load_settings(environment(checkout), str(checkout / "live"))
    assert (found.org, found.project) == ("near", None)


def test_above_the_git_root_it_is_somebody_elses(checkout: Path) -> None:
    """A file above the git root is not used."""
    write(checkout.parent, FILE)
    assert load_settings(environment(checkout), str(checkout)).org is None


def test_ours_is_stronger_and_the_users_own_weaker(checkout: Path) -> None:
    """The order of precedence is: environment, .tfevents.hcl, workspace.yaml, the user's
    config.hcl."""
    write(checkout, FILE)
    (checkout / ".tfevents.hcl").write_text('harness { org = "ours" }')
    user = checkout.parent / "config" / "tfevents" / "config.hcl"
    user.parent.mkdir(parents=True)
    user.write_text('harness {\n  project = "user"\n  account = "user"\n}')
    found = load_settings(environment(checkout, HARNESS_PROJECT_ID="env"), str(checkout))
    assert (found.org, found.project, found.workspace) == ("ours", "env", "yaml-workspace")
    assert load_settings(environment(checkout), str(checkout)).project == "yaml-project"
    assert found.account == "user"


@pytest.mark.parametrize("text", ["", "# nothing\n", "other: 1\n", "org_id:\n", "{}", "org_id: ~"])
def test_what_it_does_not_say_is_not_set(checkout: Path, text: str) -> None:
    """A missing or empty field is not set, and other fields of the file are ignored."""
    write(checkout, text)
    assert load_settings(environment(checkout), str(checkout)).org is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("org_id: a\nproject_id: [\n", 3),
        ("org_id: a\n\tproject_id: b\n", 2),
        ("org_id: a\nproject_id: \x00\n", 2),
        ("org_id: a\nproject_id: !!python/name:os.system x\n", 2),
        ("- org_id\n", 1),
        ("canary", 1),
        ("[" * 5000, 1),
        ("org_id: a\nproject_id: 0123\n", 2),
        ("org_id: on\n", 1),
        ("org_id: a\nworkspace_id: {a: b}\n", 2),
        ("org_id: !!binary aGk=", 1),
        ("org_id: 2001-99-99", 1),
        ("org_id: a\n---\norg_id: b\n", 2),
    ],
)
def test_a_broken_one_is_one_line_with_file_and_line(checkout: Path, text: str, line: int) -> None:
    """The error for a broken file is one line that names the file and the line and quotes no
    text."""
    path = write(checkout, text)
    with pytest.raises(SettingError) as caught:
        load_settings(environment(checkout), str(checkout))
    said = str(caught.value)
    assert said.startswith(f"{path}, line {line}")
    assert said.isprintable()
    assert "canary" not in said


def test_a_bomb_of_aliases_is_no_bomb(checkout: Path) -> None:
    """A file with exponentially nested aliases is read: only the three known fields are
    evaluated."""
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
    merged = [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}" for n in range(1, 10)]
    text = "\n".join(["l0: &l0 [x]", *levels, "m0: &m0 {a: b}", *merged, "<<: *m9", "org_id: a"])
    write(checkout, text)
    assert load_settings(environment(checkout), str(checkout)).org == "a"
