"""`tfevents count`: every recorded plan and state gives exactly the expected counts."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.command import Tfevents
from support.paths import DATA

KEYS = ("added", "changed", "deleted", "imported", "removed", "unchanged")
EXPECTED: dict[str, Any] = json.loads((DATA / "expected_plans.json").read_text())
"""Taken from the recordings' notes.md, change_summary and exit codes, not from tfevents' output."""


def whole(expected: dict[str, Any]) -> dict[str, Any]:
    """A row of expected_plans.json as the document that `count --json` prints."""

    def counts(numbers: list[int] | None) -> dict[str, int] | None:
        return None if numbers is None else dict(zip(KEYS, numbers, strict=True))

    return {
        "resource_counts": counts(expected["resources"]),
        "output_counts": counts(expected["outputs"]),
        "drift_counts": counts(expected["drift"]),
        **{name: expected[name] for name in ("has_changes", "errored")},
        **{name: expected[name] for name in ("format_version", "terraform_version")},
    }


def test_every_recorded_plan_has_an_expectation() -> None:
    """expected_plans.json has a row for every recorded plan, and no other rows."""
    found = [*DATA.glob("plans/*/plan.json"), *DATA.glob("engines/*/*/plan.json")]
    assert {str(path.parent.relative_to(DATA)) for path in found} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_plan_json(name: str, tfevents: Tfevents) -> None:
    """`count` of the `show -json` output of a plan gives the expected counts."""
    assert tfevents.json("count", "--json", DATA / name / "plan.json") == whole(EXPECTED[name])


PLAN_FILES = sorted(DATA.glob("engines/*/*/plan.tfplan"))


@pytest.mark.parametrize("path", PLAN_FILES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_plan_file(path: Path, tfevents: Tfevents) -> None:
    """`count` of a plan file gives the same as of its JSON, without a provisioner."""
    expected = whole(EXPECTED[str(path.parent.relative_to(DATA))])
    assert tfevents.json("count", "--json", path) == expected


def test_standard_input(tfevents: Tfevents) -> None:
    """`count -` reads a plan file, plan JSON or state JSON from stdin."""
    folder = DATA / "engines" / "terraform-1.17-dev" / "replace"
    expected = whole(EXPECTED["engines/terraform-1.17-dev/replace"])
    for name in ("plan.tfplan", "plan.json"):
        assert tfevents.json("count", "--json", "-", stdin=folder / name) == expected
    state = tfevents.json("count", "--json", "-", stdin=folder / "state_after.json")
    assert state["resource_counts"]["unchanged"] == 1


def test_nothing_is_left_of_a_plan_file_that_came_through_a_pipe(
    tfevents: Tfevents, tmp_path: Path
) -> None:
    """`count -` leaves nothing of a plan file, which holds values, in the temporary directory."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    tfevents.env["TMPDIR"] = str(temporary)
    tfevents.json("count", "--json", "-", stdin=PLAN_FILES[0])
    assert list(temporary.iterdir()) == []


def test_a_plan_that_failed_before_it_planned(tfevents: Tfevents, tmp_path: Path) -> None:
    """The JSON of a plan that failed before planning has counts of zero, unknown drift, and
    `errored` true."""
    path = tmp_path / "plan.json"
    path.write_text('{"format_version":"1.2","errored":true}')
    nothing = dict.fromkeys(KEYS, 0)
    assert tfevents.json("count", "--json", path) == {
        "resource_counts": nothing,
        "output_counts": nothing,
        "drift_counts": None,
        "has_changes": False,
        "errored": True,
        "format_version": "1.2",
        "terraform_version": None,
    }


STATES = {
    # name: managed objects, outputs, in both forms
    "plans/create": (2, 1),
    "plans/update": (2, 0),
    "plans/forget": (1, 0),
    "plans/data_known": (1, 1),
    "plans/count_foreach": (4, 0),
    "plans/outputs_mixed": (1, 4),
    "plans/destroy": (0, 0),
    "plans/empty": (0, 0),
}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str, tfevents: Tfevents) -> None:
    """The objects and outputs of a state are counted as unchanged; drift, changes and errors are
    null."""
    managed, outputs = STATES[name]
    shown = tfevents.json("count", "--json", DATA / name / "state_after.json")
    pulled = tfevents.json("count", "--json", DATA / name / "state_after.tfstate")
    nothing = dict.fromkeys(KEYS, 0)
    assert pulled == {
        "resource_counts": {**nothing, "unchanged": managed},
        "output_counts": {**nothing, "unchanged": outputs},
        "drift_counts": None,
        "has_changes": None,
        "errored": None,
        "format_version": "4",
        "terraform_version": "1.11.4",
    }
    version = {"format_version": "1.0", "terraform_version": shown["terraform_version"]}
    assert shown == {**pulled, **version}


@pytest.mark.exhaustive
def test_a_large_state_file_is_counted_alike(tfevents: Tfevents, tmp_path: Path) -> None:
    """A large state file, which is streamed and not held in memory, is counted like a small one, in
    any order of its members; another version and a truncated file are errors."""
    path = tmp_path / "large.tfstate"
    known = json.loads((DATA / "plans" / "deposed" / "state_before.tfstate").read_text())
    expected = tfevents.json("count", "--json", DATA / "plans/deposed/state_before.tfstate")
    for members in (known, dict(reversed(known.items()))):
        pad = {"lineage": known["lineage"], "check_results": "\\" * (9 << 20)}
        path.write_text(json.dumps(members | pad))
        assert tfevents.json("count", "--json", path) == expected
    path.write_text(json.dumps(known | {"version": 3, "check_results": "x" * (9 << 20)}))
    assert "no state file of version 4" in tfevents.fails(1, "count", path)
    path.write_text(path.read_text()[:-9])
    assert "it ends too early" in tfevents.fails(1, "count", path)


def test_a_deposed_object_is_not_a_current_one(tfevents: Tfevents) -> None:
    """A deposed object in a state is not counted as a managed object."""
    path = DATA / "plans" / "deposed" / "state_before.tfstate"
    instances = [i for r in json.loads(path.read_text())["resources"] for i in r["instances"]]
    assert [bool(instance.get("deposed")) for instance in instances].count(True) == 1
    counted = tfevents.json("count", "--json", path)
    assert counted["resource_counts"]["unchanged"] == len(instances) - 1


def test_a_table_in_a_pipe(tfevents: Tfevents) -> None:
    """Written to a pipe, the table of `count` is aligned, without colour, with one line per row."""
    told = tfevents.ok("count", DATA / "plans" / "drift_deleted" / "plan.json")
    assert told == (
        "           added  changed  deleted  imported  removed  unchanged\n"
        "resources      1        0        0         0        0          1\n"
        "outputs        0        0        0         0        0          0\n"
        "drift          0        0        1         0        0          0\n"
        "something to apply, terraform 1.11.4, format 1.2\n"
    )


def test_what_is_not_known_is_a_dash(tfevents: Tfevents) -> None:
    """The table of `count` shows unknown counts as a dash, not as zero."""
    told = tfevents.ok("count", DATA / "plans" / "create" / "state_after.tfstate")
    assert told.splitlines()[3].split() == ["drift", *"------"]
    assert told.splitlines()[4] == "a state, terraform 1.11.4, format 4, -: it does not say"


def test_a_fifo_is_read(tfevents: Tfevents) -> None:
    """`count` reads a pipe that has a path, as of bash's `<(…)`."""
    path = DATA / "plans" / "create" / "plan.json"
    told = tfevents.shell(f"tfevents count --json <(cat {path})")
    assert json.loads(told) == whole(EXPECTED["plans/create"])


# Bad input: one line with the place, the reason and what `count` takes

TAKES = "count takes a plan file, or the JSON of `show -json` or `state pull`"
PLAN = '{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[]}'
MANY = "there is more than one document"
UNKNOWN = "it has an unknown action 'teleport': update tfevents"
BAD = {
    "an array": (f"[{PLAN},{PLAN}]".encode(), MANY),
    "an array of one, behind noise": (f"Retrying...\n[{PLAN}]\n".encode(), MANY),
    "an array, indented": (json.dumps([json.loads(PLAN)] * 2, indent=2).encode(), MANY),
    "one a line": (f"{PLAN}\n{PLAN}\nReleasing state lock...\n".encode(), MANY),
    "an array of states": (b'[\n{"version":4,"serial":1,"lineage":"a"}\n]', MANY),
    "resource action": (
        PLAN.replace("[]", '[{"change":{"actions":["teleport"]}}]').encode(),
        UNKNOWN,
    ),
    "drift action": (
        PLAN.replace("changes", "drift")
        .replace("[]", '[{"change":{"actions":["teleport"]}}]')
        .encode(),
        UNKNOWN,
    ),
    "output action": (
        b'{"format_version":"1.2","output_changes":{"o":{"actions":["teleport","create"]}}}',
        UNKNOWN,
    ),
    "no action": (PLAN.replace("[]", '[{"change":{"actions":[]}}]').encode(), "length >= 1"),
    "empty": (b"", "it is empty"),
    "blank": (b" \n\n", "it is empty"),
    "truncated": (PLAN[:60].encode(), "Input data was truncated"),
    "foreign": (b'{"a": 1}', "this JSON is no plan and no state"),
    "validate -json": (
        b'{"format_version":"1.0","valid":true,"error_count":0,"diagnostics":[]}',
        "this JSON is no plan and no state",
    ),
    "providers schema -json": (
        b'{"format_version":"1.0","provider_schemas":{}}',
        "this JSON is no plan and no state",
    ),
    "list": (b"[]", "Expected `object`, got `array`"),
    "words": (b"Terraform will perform the following actions\n", "JSON is malformed"),
    "latin-1": (b'{"format_version":"1.2","x":"\xe9"}', "byte 30 is not UTF-8"),
    "major": (PLAN.replace('"1.2"', '"2.0"').encode(), "format_version '2.0', this tfevents"),
    "no version": (b'{"format_version":"","resource_changes":[]}', "format_version ''"),
    "huge integer": (b'{"version":4,"lineage":"a","serial":' + b"9" * 5000 + b"}", "serial"),
    "deep": (b'{"format_version":"1.2","x":' + b"[" * 200_000, "nested too deeply"),
    "old state": (b'{"version":3,"serial":1,"lineage":"a"}', "version 3"),
    "encrypted state": (
        b'{"serial":1,"lineage":"a","meta":{},"encrypted_data":"x","encryption_version":"v0"}',
        "it is an encrypted state",
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_bad_input(name: str, way: str, tfevents: Tfevents, tmp_path: Path) -> None:
    """For input that is no plan and no state, `count` exits with 1, prints nothing on stdout, and
    writes one line on stderr with the place and the reason."""
    content, reason = BAD[name]
    path = tmp_path / "document"
    path.write_bytes(content)
    where = {"file": str(path), "stdin": "standard input"}[way]
    arguments, stdin = ([path], None) if way == "file" else (["-"], path)
    line = tfevents.fails(1, "count", "--json", *arguments, stdin=stdin)
    assert line.startswith(f"tfevents: can't count {where}: ")
    assert reason in line
    assert line.endswith(TAKES)
    assert len(line) < 500


def test_bad_places(tfevents: Tfevents, tmp_path: Path) -> None:
    """A directory, a missing file and a file name that is too long are errors with exit code 1."""
    assert "it is a directory" in tfevents.fails(1, "count", tmp_path)
    missing = tfevents.fails(1, "count", tmp_path / "nowhere")
    assert missing == f"tfevents: can't read {tmp_path}/nowhere: No such file or directory"
    assert "can't read" in tfevents.fails(1, "count", tmp_path / ("n" * 300))


PLAN_LIKE = {
    "encrypted": (b'{"meta":{},"encrypted_data":"x","encryption_version":"v0"}', "it is encrypted"),
    "bookmark": (
        b'{"remote_plan_format":1,"run_id":"run-1","hostname":"app.terraform.io"}',
        "it is a bookmark of a plan in HCP Terraform",
    ),
    "other zip": (b"PK\x03\x04 and something", "its zip is broken"),
}


@pytest.mark.parametrize("name", PLAN_LIKE)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_plan_files_that_nobody_can_read(
    name: str, way: str, tfevents: Tfevents, tmp_path: Path
) -> None:
    """For a plan file that tfevents can't read, the error says why, and that there is no
    provisioner or that the provisioner failed, too."""
    content, reason = PLAN_LIKE[name]
    path = tmp_path / "p.tfplan"
    path.write_bytes(content)
    arguments, stdin = ([path], None) if way == "file" else (["-"], path)
    line = tfevents.fails(1, "count", *arguments, stdin=stdin)
    assert reason in line
    assert ("standard input" if way == "stdin" else str(path)) in line
    assert "/proc/" not in line
    assert "there is no terraform or tofu here" in line
    tfevents.provisioner("exit 1")
    assert "which failed here, too" in tfevents.fails(1, "count", *arguments, stdin=stdin)


def test_a_provisioner_is_asked_for_what_is_not_known(tfevents: Tfevents, tmp_path: Path) -> None:
    """A plan file that tfevents can't read is shown by the provisioner; in the plan file's
    directory, whose providers `show` may start, only with `--show`."""
    known = DATA / "plans" / "import_update" / "plan.json"
    place = tmp_path / "live"
    place.mkdir()
    (place / "p.tfplan").write_bytes(b'{"encrypted_data":"x"}')
    script = f'case "$*" in "-chdir={place} show -json {place}/p.tfplan") cat {known};; *) exit 1;;'
    tfevents.provisioner(f"{script} esac")
    assert "or with --show" in tfevents.fails(1, "count", "--json", place / "p.tfplan")
    counted = tfevents.json("count", "--json", "--show", place / "p.tfplan")
    assert counted == whole(EXPECTED["plans/import_update"])


def test_a_value_may_look_like_encryption(tfevents: Tfevents, tmp_path: Path) -> None:
    """A state with an output called `encrypted_data` does not count as encrypted."""
    path = tmp_path / "state.json"
    outputs = '{"encrypted_data":{"value":"x","type":"string"}}'
    path.write_text(f'{{"version":4,"serial":1,"lineage":"a","outputs":{outputs}}}')
    assert tfevents.json("count", "--json", path)["output_counts"]["unchanged"] == 1


def test_noise_around_the_document(tfevents: Tfevents, tmp_path: Path) -> None:
    """`count` skips a cloud backend's lines before the JSON, and reads UTF-16, which PowerShell
    writes."""
    document = (DATA / "plans" / "create" / "plan.json").read_text()
    compact = json.dumps(json.loads(document), separators=(",", ":"))
    noisy, wide = tmp_path / "noisy.json", tmp_path / "wide.json"
    noisy.write_text(f"Initializing HCP Terraform...\n{compact}\n")
    wide.write_text(document, encoding="utf-16")
    for path in (noisy, wide):
        assert tfevents.json("count", "--json", path) == whole(EXPECTED["plans/create"])


def test_a_closed_stdin_is_empty(tfevents: Tfevents) -> None:
    """`count -` with a closed stdin is the same error as with an empty one."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" count - <&-', tfevents.program],
        env=tfevents.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, tfevents.fails(1, "count", "-") + "\n")
