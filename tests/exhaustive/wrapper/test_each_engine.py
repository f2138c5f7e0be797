"""Applies and plans whose reports were once wrong (issue 17), with each engine in `ENGINES`.

The expected results come from the engine itself: its closing line, its "… complete after" lines,
its state.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.filesproject import ENGINES, Project, Said, file_object, files_project, find_engine

APPLY = ("apply", "-auto-approve", "-no-color")
DESTROY = ("destroy", "-auto-approve", "-no-color")
READ = 'data "files_object" "d" {\n  path = "seed.txt"\n}\n'
TELL = 'output "o" {\n  value = data.files_object.d.content\n}\n'


@pytest.fixture(params=ENGINES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    """A project for each engine."""
    return files_project(tmp_path, find_engine(request.param))


def closed(said: Said) -> str:
    """The counts in the closing line; asserts that the event has the same."""
    assert said.closing is not None, said.stderr
    assert said.done("acdi") == said.closing
    return said.closing


def same_lines(one: str, other: str) -> bool:
    """Whether both texts have the same lines in any order: objects are refreshed at the same
    time."""
    return sorted(one.splitlines()) == sorted(other.splitlines())


def output(value: str) -> str:
    """A root output."""
    return f'output "o" {{\n  value = {value}\n}}\n'


# A data source that is read while planning


def test_a_data_source_is_read_and_the_apply_declined(project: Project) -> None:
    """A declined apply is reported as `apply_needed`, although a data source was read."""
    (project.place / "seed.txt").write_text("seed")
    project.write(READ + TELL + file_object("a", content='"one"'))
    said = project.tf("apply", "-no-color", stdin=b"no\n")
    assert (said.code, said.types) == (1, ["apply_needed"])
    assert said.data["approval"] == "declined"
    assert said.counts() in (None, "a1")


def test_a_data_source_is_read_and_the_apply_approved(project: Project) -> None:
    """An approved apply that reads a data source has a start event, and its outputs are counted."""
    (project.place / "seed.txt").write_text("seed")
    project.write(READ + TELL + file_object("a", content='"one"'))
    said = project.tf("apply", "-no-color", stdin=b"yes\n")
    assert (said.code, said.types) == (0, ["provisioning", "active"])
    assert closed(said) == "a1"
    assert said.counts("output") == "a1"


# A plan that is not saved, since the engine would not say then that it generated a configuration


IMPORT = 'import {\n  to = files_object.i\n  id = "there.txt"\n}\n'
GENERATE = ("plan", "-no-color", "-generate-config-out=generated.tf")


def test_a_configuration_is_generated(project: Project) -> None:
    """A plan that generates a configuration prints the engine's own words, and has the counts of
    all planned changes."""
    (project.place / "there.txt").write_text("here")
    project.make(file_object("a", content='"one"') + file_object("b"))
    project.write(IMPORT + file_object("a", content='"two"') + file_object("c"))
    said = project.tf(*GENERATE)
    for _ in range(20):  # whether an engine says what it generated is chance
        (project.place / "generated.tf").unlink()
        bare = project.bare(*GENERATE)
        if same_lines(bare.stdout, said.stdout):
            break
    assert same_lines(bare.stdout, said.stdout)
    assert (bare.code, said.code) == (0, 0)
    assert said.types == ["apply_needed"]
    assert (said.counts(), said.counts("output")) == ("a1 c1 d1 i1", None)


def test_what_was_to_be_generated_fails(project: Project) -> None:
    """A plan that fails while generating a configuration has no counts."""
    project.write(IMPORT + file_object("a"))
    said = project.tf(*GENERATE)
    assert (said.code, said.types, said.counts()) == (1, ["failed"], None)


# Planned changes that turn out to be none


def test_an_update_that_turns_out_to_be_none(project: Project) -> None:
    """An update that was planned only because a value was unknown counts as unchanged if the value
    stays the same."""
    later = file_object("b", content='"${files_object.a.length}"')
    project.make(file_object("a", content='"one"') + later)
    project.write(file_object("a", content='"two"') + later + output("files_object.a.length"))
    said = project.tf(*APPLY)
    assert "0 to add, 2 to change" in said.stdout
    assert closed(said) == "c1"
    assert said.counts() == "c1 u1"


def test_a_destroy_that_only_forgets(project: Project) -> None:
    """If OpenTofu only forgets objects, it exits with 1, but the destroy is reported as `inactive`,
    because all was done and the state is empty."""
    product, *_ = project.version
    if product != "OpenTofu":
        pytest.skip("terraform destroys it all the same")
    project.need(terraform=99, opentofu=12)
    kept = file_object("a", content='"one"').replace("}", "  lifecycle {\n destroy = false\n }\n}")
    project.make(kept)
    said = project.tf(*DESTROY)
    assert "left behind forgotten" in said.stderr
    assert (said.code, said.types) == (1, ["destroying", "inactive"])
    assert said.counts() == "r1"
    assert said.data["exit_code"] == "1"


def test_a_destroy_forgets_one_and_deletes_one(project: Project) -> None:
    """A forgotten object counts as removed, not as deleted."""
    product, *_ = project.version
    if product != "OpenTofu":
        pytest.skip("terraform destroys it all the same")
    project.need(terraform=99, opentofu=12)
    kept = file_object("a", content='"one"').replace("}", "  lifecycle {\n destroy = false\n }\n}")
    project.make(kept + file_object("b", content='"one"'))
    said = project.tf(*DESTROY)
    assert said.counts() == "d1 r1"
    assert said.completed == "d1"
    assert said.types == ["destroying", "inactive"]


# An apply that fails


def test_a_failed_apply_with_a_variable_is_reported(project: Project) -> None:
    """A failed apply with a variable on the command line has a start event and counts: OpenTofu
    would want the variable again for a saved plan, but no plan is saved."""
    project.write(
        'variable "v" {}\n'
        + file_object("a", content="var.v")
        + file_object("b", content="var.v", trouble='"create"')
    )
    said = project.tf(*APPLY, "-var=v=x")
    assert (said.code, said.types) == (1, ["provisioning", "failed"])
    assert said.completed == said.done() == "a1"


@pytest.mark.parametrize("words", ["update", "refuse"])
def test_an_update_that_is_refused_is_not_changed(project: Project, words: str) -> None:
    """An update that fails does not count as changed, even if the provider returns the new values,
    as the AWS provider does."""
    project.make(file_object("a", content='"one"') + file_object("b", content='"one"'))
    project.write(file_object("a", content='"two"') + file_object("b", content='"two"'))
    project.trouble("a.txt", words)
    said = project.tf(*APPLY)
    assert said.completed == "c1"
    assert said.counts() == "c1"
    assert said.types == ["provisioning", "failed"]


def test_a_replacement_with_the_same_values(project: Project) -> None:
    """A replacement by an object with the same values is counted although the states do not show
    it, also if another change fails."""
    project.make(file_object("a", content='"one"'))
    project.write(file_object("a", content='"one"') + file_object("b", trouble='"create"'))
    said = project.tf(*APPLY, "-replace=files_object.a")
    assert said.completed == said.done() == "a1 d1"


def test_a_replacement_whose_new_object_fails(project: Project) -> None:
    """If the new object of a replacement fails, only the deletion counts; a half-made object is
    tainted and does not count as added."""
    project.make(file_object("a", content='"one"') + file_object("b", content='"one"'))
    project.write(
        file_object("a", content='"two"', kind='"k"', trouble='"create"')
        + file_object("b", content='"two"', kind='"k"', trouble='"half"')
    )
    said = project.tf(*APPLY)
    assert said.completed == "d2"
    assert said.counts() == "d2"
    assert said.data["tainted"] == "1"


def leave_deposed(project: Project) -> Said:
    """Runs an apply that creates a new object and can't delete the old one, which is then deposed;
    returns its result."""
    first = "  lifecycle {\n create_before_destroy = true\n }\n}"
    project.make(file_object("a", content='"one"').replace("}", first))
    project.write(file_object("a", content='"one"', kind='"k"').replace("}", first))
    project.trouble("a.txt", "delete")
    said = project.tf(*APPLY)
    project.trouble("a.txt", "")
    return said


def test_what_is_made_before_the_old_one_is_destroyed(project: Project) -> None:
    """With create_before_destroy, an old object that can't be deleted is deposed, and counts as
    deleted in the next apply."""
    said = leave_deposed(project)
    assert said.completed == said.counts() == "a1"
    assert said.types == ["provisioning", "failed"]
    assert closed(project.tf(*APPLY)) == "d1"


def test_a_deposed_object_is_destroyed_beside_one_that_stays(project: Project) -> None:
    """A deposed object counts as deleted, and the current object at the same address as
    unchanged."""
    leave_deposed(project)
    assert project.tf(*APPLY).counts() == "d1 u1"


def test_an_output_that_stays_null(project: Project) -> None:
    """An output that is null before and after counts as unchanged if the engine stores it, else not
    at all."""
    told = output("null") + 'output "p" {\n  value = "one"\n}\n'
    project.make(told + file_object("a", content='"one"'))
    stored = project.state()["outputs"]
    project.write(told + file_object("a", content='"two"') + file_object("b", trouble='"create"'))
    said = project.tf(*APPLY)
    assert said.code == 1
    assert project.state()["outputs"] == stored
    assert said.counts("output") == f"u{len(stored)}"


def test_an_output_that_becomes_null(project: Project) -> None:
    """An output that becomes null counts as deleted, and as added when it has a value again."""
    project.make(output('"one"') + file_object("a"))
    project.write(output("null") + file_object("a"))
    assert project.tf(*APPLY).counts("output") == "d1"
    project.write(output('"one"') + file_object("a"))
    assert project.tf(*APPLY).counts("output") == "a1"


def test_nothing_but_an_output_that_is_null(project: Project) -> None:
    """A state with only a null output counts as empty: OpenTofu stores an output that was unknown
    as null."""
    project.write(file_object("a") + output("files_object.a.length"))
    said = project.tf("apply", "-refresh-only", "-auto-approve", "-no-color")
    product, *_ = project.version
    if product == "OpenTofu":
        assert project.state()["outputs"] == {"o": {"type": "dynamic", "value": None}}
        assert (said.code, said.types) == (0, ["inactive"])
    assert "active" not in said.types


# Plans that are partial, failed or not read


def test_a_plan_that_is_not_read_is_not_called_one(project: Project) -> None:
    """With TFEVENTS_DIRECT a plan is not reported as having no changes: whether there are any is
    not known."""
    project.write(file_object("a"))
    said = project.tf("plan", "-no-color", TFEVENTS_DIRECT="1")
    assert said.code == 0
    assert "plan" not in said.types


def test_a_plan_of_a_part_that_has_nothing(project: Project) -> None:
    """A targeted plan counts what the plan lists, not the whole state."""
    project.make(file_object("a") + file_object("b"))
    said = project.tf("plan", "-no-color", "-target=files_object.nothing")
    assert (said.code, said.types) == (0, ["plan"])
    assert said.counts() in (None, "")


def test_a_refresh_only_plan_of_a_part(project: Project) -> None:
    """A targeted refresh-only plan has no counts of resources."""
    project.make(file_object("a") + file_object("b"))
    said = project.tf("plan", "-no-color", "-refresh-only", "-target=files_object.a")
    assert (said.code, said.types) == (0, ["plan"])
    assert said.counts() is None


def test_a_planning_that_broke_off(project: Project) -> None:
    """If planning fails half-way, drift is not counted, and counts are absent or marked as
    partial."""
    project.make(file_object("a") + file_object("b"))
    project.write(file_object("a", content='"two"') + file_object("b"))
    project.trouble("a.txt", "read")
    said = project.tf("plan", "-no-color")
    assert (said.code, said.types) == (1, ["failed"])
    assert said.counts() is None or "errored" in said.data["partial"]
    assert said.counts("drift") is None
    said = project.tf(*APPLY)
    assert (said.code, said.types) == (1, ["failed"])
    assert said.counts() in (None, "")


def test_a_planning_that_came_to_nothing(project: Project) -> None:
    """If planning fails before anything is planned, counts are absent, not zero."""
    project.make(file_object("a"))
    project.trouble("a.txt", "read")
    said = project.tf("plan", "-no-color")
    assert (said.code, said.types) == (1, ["failed"])
    assert said.counts() is None
    assert said.counts("drift") is None


# Imports, moves, replacements and removals


def test_imported_and_replaced(project: Project) -> None:
    """An object that is imported and replaced counts as imported, added and deleted."""
    project.need(terraform=5, opentofu=6)
    (project.place / "a.txt").write_text("one")
    project.write(
        file_object("a", content='"one"', kind='"k"')
        + 'import {\n  to = files_object.a\n  id = "a.txt"\n}\n'
    )
    assert closed(project.tf(*APPLY)) == "a1 d1 i1"


def test_moved_and_replaced(project: Project) -> None:
    """An object that is moved and replaced counts as added and deleted, and as nothing else."""
    project.make(file_object("a", content='"one"') + file_object("c"))
    project.write(
        file_object("b", content='"one"', kind='"k"', path='"a.txt"')
        + file_object("c")
        + "moved {\n  from = files_object.a\n  to   = files_object.b\n}\n"
    )
    said = project.tf(*APPLY)
    assert closed(said) == "a1 d1"
    assert said.counts() == "a1 d1 u1"


def test_moved_alone(project: Project) -> None:
    """An object that is only moved counts as nothing."""
    project.make(file_object("a", content='"one"') + file_object("c"))
    project.write(
        file_object("b", content='"one"', path='"a.txt"')
        + file_object("c")
        + "moved {\n  from = files_object.a\n  to   = files_object.b\n}\n"
    )
    said = project.tf(*APPLY)
    assert closed(said) == ""
    assert said.counts() == "u1"


def keyed(name: str, *keys: str, path: str) -> str:
    """A resource block with an instance for each key."""
    each = ", ".join(f'"{key}"' for key in keys)
    block = file_object(name, content='"one"', path=path)
    return block.replace("{\n", f"{{\n  for_each = toset([{each}])\n", 1)


def test_moved_to_a_key(project: Project) -> None:
    """An object that is moved to an instance key counts as nothing."""
    project.make(file_object("a", content='"one"') + file_object("c"))
    moved = 'moved {\n  from = files_object.a\n  to   = files_object.a["k"]\n}\n'
    project.write(keyed("a", "k", path='"a.txt"') + file_object("c") + moved)
    said = project.tf(*APPLY)
    assert closed(said) == ""
    assert said.counts() == "u1"


def test_moved_by_a_count(project: Project) -> None:
    """An object that terraform moves by itself, because `count` was added, counts as nothing."""
    project.make(file_object("a") + file_object("c"))
    counted = file_object("a", path='"a.txt"').replace("{\n", "{\n  count = 1\n", 1)
    project.write(counted + file_object("c"))
    said = project.tf(*APPLY)
    assert closed(said) == ""
    assert said.counts() == "u1"


def test_an_instance_moves_away_from_its_siblings(project: Project) -> None:
    """An instance that is moved to the address of the whole resource counts as nothing, also if the
    deletion of another instance fails."""
    project.make(keyed("a", "x", "y", path='"${each.key}.txt"') + file_object("c"))
    project.trouble("y.txt", "delete")
    moved = 'moved {\n  from = files_object.a["x"]\n  to   = files_object.a\n}\n'
    alone = file_object("a", content='"one"', path='"x.txt"')
    project.write(alone + file_object("c") + moved)
    said = project.tf(*APPLY)
    assert said.code == 1
    assert said.counts() == "u1"


def test_a_move_that_is_blocked(project: Project) -> None:
    """If there is already an object at the destination of a move, that object is unchanged and the
    other one is deleted."""
    project.make(file_object("a") + file_object("b") + file_object("c"))
    project.write(
        file_object("b")
        + file_object("c")
        + "moved {\n  from = files_object.a\n  to   = files_object.b\n}\n"
    )
    said = project.tf(*APPLY)
    assert closed(said) == "d1"
    assert said.counts() == "d1 u2"


def test_imported_beside_a_removed_one(project: Project) -> None:
    """An import and a `removed` block in one apply count as imported and removed."""
    project.need(terraform=7, opentofu=7)
    project.make(file_object("a", content='"one"'))
    (project.place / "b.txt").write_text("one")
    keeps = "  lifecycle {\n    destroy = false\n  }\n"
    project.write(
        file_object("b", content='"one"')
        + 'import {\n  to = files_object.b\n  id = "b.txt"\n}\n'
        + f"removed {{\n  from = files_object.a\n{keeps}}}\n"
    )
    said = project.tf(*APPLY)
    assert closed(said) == "i1"
    assert said.counts() == "i1 r1"


@pytest.mark.parametrize(
    "key",
    [
        "x: applying the planned Create change",
        "y: Creation complete after 0s",
        'vertex "files_object.a" error: boom',
        "2026-01-01T00:00:00.000Z [DEBUG] files_object.a: applying the planned Delete change",
        "line\n2026-01-01T00:00:00.000Z [DEBUG] files_object.a: applying the planned Delete change",
        "z (destroy)",
        "w deposed object 12345678",
        'q"uote\\d ${1}',
    ],
)
def test_a_key_that_looks_like_a_line_of_the_log(project: Project, key: str) -> None:
    """An instance key that looks like a message of the core log does not change the counts."""
    escaped = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}
    text = "".join(escaped.get(c, c) for c in key).replace("${", "$${")
    block = file_object("k", path='"k-${md5(each.key)}.txt"', content='"one"')
    each = f'  for_each = toset(["{text}"])\n'
    block = block.replace("{\n", f"{{\n{each}", 1)
    project.make(file_object("a"))
    project.write(file_object("a") + block)
    said = project.tf(*APPLY)
    assert project.state()["resources"][-1]["instances"][0]["index_key"] == key
    assert said.types == ["provisioning", "active"]
    assert said.counts() == "a1 u1"
    project.write(file_object("a") + block.replace('"one"', '"two"'))
    assert project.tf(*APPLY).counts() == "c1 u1"
    project.write(file_object("a"))
    assert project.tf(*APPLY).counts() == "d1 u1"
