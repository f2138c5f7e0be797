"""Terragrunt's hooks in the root file that units include, run in Terragrunt's order and, if it is
on PATH, by Terragrunt itself."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.hosts.field import (
    APPLIED,
    APPLY_FAILED,
    BEGUN,
    PLAN_FAILED,
    PLANNED,
    PROJECT,
    Field,
    field,
)
from support.hosts.terragrunt import Play, terragrunt
from support.paths import HOOKS

INCLUDE = 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'
KILLED = re.sub('command = ".*"', 'command = "kill -9 $PPID"', PROJECT)
"""A project whose apply kills terraform."""
FATES = ("good", "good", "good", "good", "good", "failing", "failing", "killed", "killed", "good")


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Field]:
    with field(tmp_path) as place:
        yield place


def units(place: Field) -> list[Path]:
    """Ten units below the root file, one for each of FATES."""
    live = place.directory / "live"
    live.mkdir()
    shutil.copy(HOOKS / "terragrunt/root.hcl", live)
    return [_unit(live / f"u{number}", fate) for number, fate in enumerate(FATES)]


def _unit(directory: Path, fate: str) -> Path:
    directory.mkdir()
    (directory / "main.tf").write_text(KILLED if fate == "killed" else PROJECT)
    (directory / "terragrunt.hcl").write_text(INCLUDE)
    if fate == "failing":
        (directory / "fail-apply").touch()
    return directory


def ends(place: Field) -> dict[str, list[tuple[Any, ...]]]:
    """Unit → the type and status of each of its end events."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for event in place.events:
        said = (event["event_type"], event["metadata"].get("activity_status"))
        if event["event_type"] != "provisioning":
            found.setdefault(event["data"]["directory"][-2:], []).append(said)
    return found


def assert_each_has_its_own_result(place: Field) -> None:
    """Asserts that each unit has one run, with the result that FATES gives it."""
    wanted = {"good": [("active", "success")]}
    for number, fate in enumerate(FATES):
        assert ends(place)[f"u{number}"] == wanted.get(fate, [("failed", "failure")])
    runs = [event["data"]["run_id"] for event in place.events]
    assert len(runs) == 20 and len(set(runs)) == 10


@pytest.mark.exhaustive
def test_ten_units_in_parallel_are_told_once_each(place: Field) -> None:
    """Of ten units that are applied in parallel, and succeed, fail or are killed, each is recorded
    once with its own result."""

    def apply(unit: Path) -> int:
        place.sh("terraform init -input=false", cwd=unit)
        return terragrunt(place, unit, "apply")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(apply, units(place)))
    assert_each_has_its_own_result(place)


def test_a_plan_is_counted_and_leaves_nothing_behind(place: Field) -> None:
    """A plan is recorded with its counts, and the hooks' plan file is removed, also if the plan
    fails."""
    terragrunt(place, place.directory, "plan")
    place.failing("plan")
    terragrunt(place, place.directory, "plan")
    assert place.told() == [PLANNED, (*PLAN_FAILED, None)]
    assert not (place.directory / ".tfevents.tfplan").exists()


@pytest.mark.exhaustive
def test_a_users_own_plan_file_is_counted_and_kept(place: Field) -> None:
    """`plan -out=my.tfplan` and `apply my.tfplan`, as usual in CI, are recorded with counts, and
    the user's plan file stays."""
    assert terragrunt(place, place.directory, "plan", "-out=my.tfplan") == 0
    assert terragrunt(place, place.directory, "apply", "my.tfplan") == 0
    assert place.told() == [PLANNED, BEGUN, APPLIED]
    assert (place.directory / "my.tfplan").exists()


@pytest.mark.exhaustive
def test_an_exit_code_that_terragrunt_does_not_tell_is_not_told(place: Field) -> None:
    """`plan -detailed-exitcode` ends with 2, but Terragrunt runs its after hook as for 0, so the
    event has no exit code."""
    assert terragrunt(place, place.directory, "plan", "-detailed-exitcode") == 0
    assert place.told() == [PLANNED]
    assert "exit_code" not in place.events[0]["data"]


@pytest.mark.exhaustive
def test_the_plan_file_is_its_owners_alone_and_never_stays(place: Field) -> None:
    """The hooks' plan file has mode 0600; if a killed run has left one, the unit's next run removes
    it."""
    plan_file = place.directory / ".tfevents.tfplan"
    killed = Play(place, place.directory, ("plan",), place.directory)
    for _ in killed.hooks("before_hook"):
        pass
    assert killed.terraform() == 0
    assert plan_file.stat().st_size > 0
    assert stat.S_IMODE(plan_file.stat().st_mode) == 0o600
    assert terragrunt(place, place.directory, "apply") == 0
    assert not plan_file.exists()


def test_an_apply_that_fails_is_told_by_the_error_hook(place: Field) -> None:
    """The error hook records an apply that fails, since an after hook without run_on_error does not
    run."""
    place.failing("apply")
    assert terragrunt(place, place.directory, "apply") == 1
    assert [event[:3] for event in place.told()] == [BEGUN[:3], APPLY_FAILED]


@pytest.mark.exhaustive
def test_a_unit_is_called_by_its_directory_and_not_by_its_cache(place: Field) -> None:
    """Terraform runs in the unit's cache directory, where the hooks find plan and state; the events
    name the unit's own directory."""
    cache = place.directory / "live/network/.terragrunt-cache/abc/def"
    cache.mkdir(parents=True)
    (cache / "main.tf").write_text(PROJECT)
    for command in ("plan", "apply"):
        assert terragrunt(place, place.directory / "live/network", command, cwd=cache) == 0
    assert place.told()[0] == PLANNED
    assert place.told()[-1][:3] == ("active", "apply", "success")
    assert {event["data"]["directory"][-7:] for event in place.events} == {"network"}


@pytest.mark.exhaustive
def test_a_unit_whose_terragrunt_was_killed_is_told_by_its_next_run(place: Field) -> None:
    """A run whose Terragrunt was killed after the before hook is closed as failed by the unit's
    next before hook."""
    hook = ["tfevents", "hook", "before", "apply", "--directory", str(place.directory)]
    assert place.run(hook, TG_CTX_COMMAND="apply", TG_CTX_TF_PATH="terraform").returncode == 0
    assert terragrunt(place, place.directory, "apply") == 0
    told = [event[:3] for event in place.told()]
    assert told == [BEGUN[:3], APPLY_FAILED, BEGUN[:3], ("active", "apply", "success")]
    assert place.events[1]["data"]["interrupted"] == "killed"


def test_hooks_keep_silent_where_terragrunt_runs_tf(place: Field) -> None:
    """With TG_TF_PATH=tf the hooks record and write nothing, since `tf` reports the run."""
    for moment in ("before", "after", "error"):
        words = ["tfevents", "hook", moment, "apply"]
        done = place.run(words, TG_CTX_COMMAND="apply", TG_CTX_TF_PATH="tf")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert place.told() == []


REAL = pytest.mark.skipif(not shutil.which("terragrunt"), reason="no terragrunt on PATH")
HOOKED = {"TG_TF_PATH": "terraform"}


@REAL
@pytest.mark.exhaustive
def test_the_real_one_tells_ten_units_once_each(place: Field) -> None:
    """`terragrunt run --all` records each unit once, with its own result."""
    units(place)
    words = ["terragrunt", "run", "--all", "--non-interactive", "--", "apply"]
    done = place.run(words, cwd=place.directory / "live", **HOOKED)
    print(done.stdout, done.stderr)
    assert done.returncode == 1
    assert_each_has_its_own_result(place)


@REAL
@pytest.mark.exhaustive
@pytest.mark.parametrize("binary", ["terraform", "tf"])
def test_the_real_one_tells_a_unit_with_a_source_once(place: Field, binary: str) -> None:
    """A unit with a `source` is recorded once, by hooks around terraform as well as with
    TG_TF_PATH=tf."""
    (network,) = [path for path in units(place) if path.name == "u0"]
    (place.directory / "module").mkdir()
    (network / "main.tf").rename(place.directory / "module/main.tf")
    source = 'terraform {\n  source = "../../module"\n}\n'
    (network / "terragrunt.hcl").write_text(INCLUDE + source)
    for words in (["plan"], ["apply", "-auto-approve"]):
        command = ["terragrunt", "--non-interactive", *words]
        done = place.run(command, cwd=network, TG_TF_PATH=binary)
        print(done.stdout, done.stderr)
        assert done.returncode == 0
    told = place.told()
    assert told[0] == PLANNED
    assert [event[0] for event in told] == ["apply_needed", "provisioning", "active"]
    assert "cache" not in str(place.events)


@REAL
@pytest.mark.exhaustive
def test_the_real_one_fails_no_run_for_an_endpoint_that_is_down(place: Field) -> None:
    """If the server is down, the hooks and Terragrunt exit with 0."""
    (good, *_) = units(place)
    words = ["terragrunt", "--non-interactive", "apply", "-auto-approve"]
    done = place.run(words, cwd=good, TFEVENTS_URL="http://127.0.0.1:9", **HOOKED)
    assert done.returncode == 0, done.stderr


@REAL
@pytest.mark.exhaustive
def test_the_real_one_is_not_told_of_a_users_own_hook_that_fails(place: Field) -> None:
    """If a user's own after hook fails, the run is still recorded as a success: terraform has
    succeeded, and the error hooks run when the run is already closed."""
    (good, *_) = units(place)
    hook = (
        'terraform {\n  after_hook "z" {\n    commands = ["apply"]\n    execute = ["false"]\n  }\n}'
    )
    (good / "terragrunt.hcl").write_text(INCLUDE.replace("}", 'merge_strategy = "deep"\n}') + hook)
    words = ["terragrunt", "--non-interactive", "apply", "-auto-approve"]
    done = place.run(words, cwd=good, **HOOKED)
    print(done.stdout, done.stderr)
    assert done.returncode == 1
    assert [event[0] for event in place.told()] == ["provisioning", "active"]
