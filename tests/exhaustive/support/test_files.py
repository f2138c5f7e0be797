"""The tests' own provider: its objects are files, and changes fail as the test asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.filesproject import ENGINES, Project, file_object, files_project, find_engine


@pytest.fixture(params=ENGINES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project for each engine."""
    return files_project(tmp_path, find_engine(request.param))


def attributes(project: Project, name: str) -> dict[str, object]:
    """The stored attributes of an object, with its `status`; empty if it is not in the state."""
    for resource in project.state()["resources"]:
        if resource["name"] == name:
            (instance,) = resource["instances"]
            return {**instance["attributes"], "status": instance.get("status")}
    return {}


def test_an_object_is_a_file(project: Project) -> None:
    """An object is created, changed, replaced, found changed, read and deleted as a file."""
    project.make(file_object("a", content='"one"'))
    assert (project.place / "a.txt").read_text() == "one"
    project.make(file_object("a", content='"four"'))
    assert attributes(project, "a")["length"] == 4
    replaced = project.bare("plan", "-no-color")
    assert "No changes." in replaced.stdout
    project.write(file_object("a", content='"four"', kind='"k"'))
    assert "1 to add, 0 to change, 1 to destroy" in project.bare("plan", "-no-color").stdout
    project.write(file_object("a", content='"four"'))
    (project.place / "a.txt").write_text("outside")
    assert "0 to add, 1 to change" in project.bare("plan", "-no-color").stdout
    data = 'data "files_object" "d" {\n  path = "a.txt"\n}\n'
    project.make(data + 'output "o" {\n  value = data.files_object.d.content\n}\n')
    assert not (project.place / "a.txt").exists()
    assert project.state()["outputs"]["o"]["value"] == "outside"


def test_an_object_that_is_there_is_imported(project: Project) -> None:
    """An existing file is imported by its path."""
    (project.place / "a.txt").write_text("there")
    project.write(file_object("a", content='"there"'))
    assert project.bare("import", "files_object.a", "a.txt").code == 0
    assert "No changes." in project.bare("plan", "-no-color").stdout


@pytest.mark.parametrize(
    ("words", "there", "status"), [("create", False, None), ("half", True, "tainted")]
)
def test_a_creation_fails(project: Project, words: str, there: bool, status: str | None) -> None:
    """A creation can fail with no file left, or half-way with a tainted object."""
    project.write(file_object("a", content='"one"', trouble=f'"{words}"'))
    done = project.bare("apply", "-auto-approve", "-no-color")
    assert (done.code, done.completed) == (1, "")
    assert (project.place / "a.txt").exists() is there
    assert attributes(project, "a").get("status") == status


@pytest.mark.parametrize(("words", "stored"), [("update", "one"), ("refuse", "two")])
def test_an_update_fails(project: Project, words: str, stored: str) -> None:
    """A failed update leaves the file unchanged; the state has the old values, or the new ones."""
    project.make(file_object("a", content='"one"'))
    project.write(file_object("a", content='"two"'))
    project.trouble("a.txt", words)
    assert project.bare("apply", "-auto-approve").code == 1
    assert (project.place / "a.txt").read_text() == "one"
    assert attributes(project, "a")["content"] == stored


@pytest.mark.parametrize(("words", "stays"), [("delete", True), ("late", False)])
def test_a_deletion_fails(project: Project, words: str, stays: bool) -> None:
    """A failed deletion leaves the object there, or deletes it."""
    project.make(file_object("a", content='"one"'))
    project.trouble("a.txt", words)
    assert project.bare("destroy", "-auto-approve").code == 1
    assert (project.place / "a.txt").exists() is stays


def test_what_is_slow_lasts_until_a_file_is_there(project: Project) -> None:
    """A slow change ends once a file exists, and creates another file when it begins to wait."""
    project.write(file_object("a", content='"one"', wait_for='"go"'))
    (project.place / "go").touch()
    done = project.bare("apply", "-auto-approve", "-no-color")
    assert done.completed == "a1"
    assert (project.place / "go.reached").exists()
