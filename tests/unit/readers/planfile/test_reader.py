"""Plan files of verified versions are read; all else is refused with a message of one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.planfile import forge
from support.planfile.forge import change, field, resource, tfplan

from tfevents.errors import UnreadableDocument
from tfevents.readers.planfile import reader
from tfevents.readers.planfile.reader import PlanFile
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import Change, Drift, OutputChange

NIL = b"\xc0"
UNKNOWN, REFINED = b"\xd4\x00\x00", b"\xc7\x03\x0c\x81\x01\xc2"
TOFU_LOCK = b'# This file is maintained automatically by "tofu init".\n'


def save(path: Path, plan: bytes, lock: bytes = forge.LOCK) -> str:
    path.write_bytes(forge.zipped(forge.members(plan, lock)))
    return str(path)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "p.tfplan"


def read(saved: Path, *more: bytes, version: str = "1.11.4", lock: bytes = forge.LOCK) -> PlanFile:
    return reader.read_plan_file(save(saved, tfplan(*more, version=version), lock))


def refused(saved: Path, *more: bytes, version: str = "1.11.4", lock: bytes = forge.LOCK) -> str:
    """The message with which a plan with these parts is refused."""
    with pytest.raises(UnreadableDocument) as refusal:
        read(saved, *more, version=version, lock=lock)
    message = str(refusal.value)
    assert "\n" not in message
    assert message.startswith(f"can't read the plan file {saved} directly: ")
    assert message.endswith("; use `show -json` of it")
    return message


def test_an_empty_plan_is_a_plan(saved: Path) -> None:
    file = read(saved)
    assert (file.plan.changes, file.plan.drift, file.plan.outputs) == ((), None, {})
    assert (file.plan.format_version, file.plan.terraform_version) == ("1.2", "1.11.4")
    assert (file.mode, file.backend_type, file.workspace) == (Mode.NORMAL, "local", "")
    assert (file.tool, file.version, file.targeted) == ("Terraform", "1.11.4", False)


def test_backend_and_workspace_are_told(saved: Path) -> None:
    plan = tfplan(backend=field(1, "s3") + field(2, b"") + field(3, "blue"))
    file = reader.read_plan_file(save(saved, plan))
    assert (file.backend_type, file.workspace) == ("s3", "blue")


@pytest.mark.parametrize(
    ("number", "mode"), [(0, Mode.NORMAL), (1, Mode.DESTROY), (2, Mode.REFRESH_ONLY)]
)
def test_the_mode_is_told(number: int, mode: Mode, saved: Path) -> None:
    assert read(saved, field(17, number)).mode is mode
    assert reader.read_mode(str(saved)) is mode


def test_only_terraform_says_applyable_and_only_since_1_8(saved: Path) -> None:
    """`applyable` and `complete` are None for OpenTofu and for terraform before 1.8."""
    assert read(saved, field(25, 1)).plan.applyable is True
    assert read(saved).plan.complete is False
    assert read(saved, version="1.7.5").plan.applyable is None
    assert read(saved, version="1.12.0", lock=TOFU_LOCK).plan.complete is None


@pytest.mark.parametrize(
    ("lock", "number", "names"),
    [(forge.LOCK, 9, {"create", "forget"}), (TOFU_LOCK, 10, {"forget", "create"})],
)
def test_each_tool_has_its_own_way_to_replace(
    lock: bytes, number: int, names: set[str], saved: Path
) -> None:
    """Terraform and OpenTofu use different numbers for a replacement that forgets the old
    object."""
    file = read(saved, field(3, resource("a.b", number, NIL, NIL)), version="1.13.0", lock=lock)
    assert file.plan.changes[0].actions == names


def test_a_change_has_its_address_and_its_circumstances(saved: Path) -> None:
    more = field(14, "old.b") + field(7, "12345678")
    importing = field(9, change(0, NIL) + field(5, field(1, "id")))
    entry = field(13, 'module.m["data.x"].a.b["]"]') + importing + more
    assert read(saved, field(3, entry)).plan.changes == (
        Change(
            address='module.m["data.x"].a.b["]"]',
            mode="managed",
            actions=frozenset({"no-op"}),
            importing=True,
            previous_address="old.b",
            deposed="12345678",
        ),
    )


def test_a_data_source_is_no_managed_object(saved: Path) -> None:
    entries = [field(3, resource("module.m[0].data.a.b", action, NIL, *([NIL] * (action == 2))))
               for action in (2, 5)]  # fmt: skip
    assert read(saved, *entries).plan.changes == (
        Change("module.m[0].data.a.b", "data", frozenset({"read"})),
    )


@pytest.mark.parametrize("after", [UNKNOWN, REFINED, b"\x81\xa1a" + UNKNOWN])
def test_a_change_may_be_unknown_in_part(after: bytes, saved: Path) -> None:
    (found,) = read(saved, field(3, resource("a.b", 3, NIL, after))).plan.changes
    assert found.unknown


@pytest.mark.parametrize("after", [b"\x0c", b"\xa2\x0c\x0c", b"\xce\xd4\x00\x00\x00"])
def test_what_looks_like_it_is_not_unknown(after: bytes, saved: Path) -> None:
    """Bytes of other values that equal the mark of an unknown value do not make a change
    unknown."""
    (found,) = read(saved, field(3, resource("a.b", 3, NIL, after))).plan.changes
    assert not found.unknown


MOVED = field(18, resource("a.b", 0, NIL))


def test_a_move_is_drift_only_where_nothing_else_can_tell_it(saved: Path) -> None:
    """A move counts as drift only in a refresh-only plan (`internal/command/jsonplan/plan.go`,
    Marshal)."""
    assert read(saved, MOVED).plan.drift is None
    assert read(saved, MOVED, field(17, 1)).plan.drift is None
    assert read(saved, field(17, 2), MOVED).plan.drift == (Drift(frozenset({"no-op"}), False),)


def typed(kind: str, value: bytes) -> bytes:
    """A value whose type no schema fixes, as go-cty packs it."""
    return b"\x92\xc4" + bytes([len(kind)]) + kind.encode() + value


TEXT, NUMBER = typed('"string"', b"\xa11"), typed('"number"', b"\x01")


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        (b"\x81\xa1a\xc0", b"\x81\xa1a\x80", False),
        (b"\x81\xa1a\xa0", b"\x81\xa1a\x90", False),
        (b"\x81\xa1a\xc2", b"\x81\xa1a\xc0", True),
        (b"\x81\xa1a\x00", b"\x81\xa1a\xc0", True),
        (b"\x81\xa1a\x01", b"\x81\xa1a\x02", True),
        (b"\x81\xa1a\xa30.1", b"\x81\xa1a\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", False),
        (b"\x81\xa1a" + typed('["list","string"]', b"\x91\xa1x"),
         b"\x81\xa1a" + typed('["tuple",["string"]]', b"\x91\xa1x"), False),
        (b"\x81\xa1a" + TEXT, b"\x81\xa1a" + NUMBER, True),
        (b"\x81\xa1a" + UNKNOWN, b"\x81\xa1a" + REFINED, False),
    ],
)  # fmt: skip
def test_drift_differs_as_the_json_of_it(
    before: bytes, after: bytes, differs: bool, saved: Path
) -> None:
    """Values differ as they would in `show -json`: null equals {}, and a number equals itself in
    another precision, as real providers store them."""
    file = read(saved, field(18, resource("a.b", 3, before, after)))
    assert file.plan.drift == (Drift(frozenset({"update"}), differs),)


@pytest.mark.parametrize(
    ("after", "output"),
    [
        (NIL, OutputChange(frozenset({"create"}), null=True)),
        (typed('"string"', NIL), OutputChange(frozenset({"create"}), null=True)),
        (UNKNOWN, OutputChange(frozenset({"create"}), unknown=True)),
        (typed('["list","string"]', b"\x91" + REFINED),
         OutputChange(frozenset({"create"}), unknown=True)),
        (TEXT, OutputChange(frozenset({"create"}))),
    ],
)  # fmt: skip
def test_an_output_may_be_null_or_unknown(after: bytes, output: OutputChange, saved: Path) -> None:
    entry = field(1, "o") + field(2, change(1, after)) + field(3, 1)
    assert read(saved, field(4, entry)).plan.outputs == {"o": output}


@pytest.mark.parametrize("field_number", [5, 6])
def test_a_target_or_an_exclusion_is_told(field_number: int, saved: Path) -> None:
    assert read(saved, field(field_number, "a.b"), version="1.9.0", lock=TOFU_LOCK).targeted


@pytest.mark.parametrize("version", ["1.5.7", "1.18.0", "2.0.0", "0.15.4", "", "x", "1.6", "1.11"])
def test_a_version_out_of_range_is_refused(version: str, saved: Path) -> None:
    assert f"written by Terraform {version!r}" in refused(saved, version=version)


@pytest.mark.parametrize("version", ["1.5.0", "1.14.0"])
def test_a_version_of_opentofu_out_of_range_is_refused(version: str, saved: Path) -> None:
    assert "written by OpenTofu" in refused(saved, version=version, lock=TOFU_LOCK)


@pytest.mark.parametrize("version", ["1.6.0", "1.17.0-dev", "1.17.0-alpha20260812"])
def test_the_ends_of_the_range_are_in_it(version: str, saved: Path) -> None:
    assert read(saved, version=version).version == version


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (field(1, 4), "field 1 "),
        (field(6, "a.b"), "field 6 "),
        (field(29, b""), "its plan has a field 29 that this tfevents does not know"),
        (field(99, 1), "field 99 "),
        (field(17, b""), "field 17 "),
        (field(17, 3), "a mode 3"),
        (field(13, b""), "field 13 "),
        (field(3, resource("a.b", 4, NIL)), "an action"),
        (field(3, resource("a.b", 10, NIL, NIL)), "an action"),
        (field(3, resource("a.b", 3, NIL)), "too few or too many values"),
        (field(3, resource("a.b", 1, NIL, NIL)), "too few or too many values"),
        (field(3, resource("a.b", 3, NIL, NIL, NIL)), "its change has a field 2 "),
        (field(3, field(13, "a.b")), "a change without actions"),
        (field(3, resource("a.b", 0, NIL) + field(12, 17)), "an action_reason"),
        (field(3, resource("a.b", 0, NIL) + field(1, "m")), "its resource change has a field 1 "),
        (field(3, resource("a", 0, NIL)), "an address"),
        (field(3, resource("ephemeral.a.b", 0, NIL)), "an address"),
        (field(3, resource('a.b["]', 0, NIL)), "an address"),
        (field(3, resource("", 0, NIL)), "an address"),
        (field(18, resource("a.b", 3, NIL, b"")), "no MessagePack"),
        (field(18, resource("a.b", 3, NIL, b"\xd6\x05\0\0\0\0")), "extension 5"),
        (field(18, resource("a.b", 3, NIL, b"\xd6\xff\0\0\0\0")), "does not fit its type"),
        (field(4, field(2, change(1, NIL))) * 2, "two changes of one output"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_what_is_not_foreseen_is_refused(part: bytes, reason: str, saved: Path) -> None:
    """A plan with an unknown field, a missing field or an unexpected value is refused, and the
    message names it."""
    assert reason in refused(saved, part)


def test_only_opentofu_excludes_and_only_terraform_judges(saved: Path) -> None:
    """A plan of OpenTofu with the field `complete`, which only terraform writes, is refused."""
    assert "field 26 " in refused(saved, field(26, 1), version="1.12.0", lock=TOFU_LOCK)


@pytest.mark.parametrize("lock", [b"", b"# by hand\n", b'provider "x" {}\n'])
def test_a_plan_of_nobody_is_refused(lock: bytes, saved: Path) -> None:
    """A plan is refused if its lock file does not name Terraform or OpenTofu."""
    assert "lock file does not name the tool" in refused(saved, lock=lock)


@pytest.mark.parametrize("plan", [b"", field(1, 2), field(1, 3), field(1, 3) + field(14, "1.11.4")])
def test_half_a_plan_is_refused(plan: bytes, saved: Path) -> None:
    """A plan without all its required fields is refused."""
    with pytest.raises(UnreadableDocument):
        reader.read_plan_file(save(saved, plan))


FOREIGN = {
    "a bookmark of a plan in HCP Terraform": {"remote_plan_format": 1, "run_id": "run-1"},
    "encrypted": {"meta": {}, "encrypted_data": "x", "encryption_version": "v0"},
    "no plan file": {"format_version": "1.2"},
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_else_a_plan_file_may_be_is_named(what: str, saved: Path) -> None:
    """The message for a file that is no local plan file says what the file is."""
    saved.write_text(json.dumps(FOREIGN[what]))
    assert reader.read_mode(str(saved)) is None
    with pytest.raises(UnreadableDocument, match=f"it is {what}"):
        reader.read_plan_file(str(saved))


@pytest.mark.parametrize("place", ["", "nothing"])
def test_no_file_has_no_mode(place: str, tmp_path: Path) -> None:
    assert reader.read_mode(str(tmp_path / place)) is None
    with pytest.raises(UnreadableDocument, match="there is no such file"):
        reader.read_plan_file(str(tmp_path / place))


def test_a_mode_needs_no_verified_version(saved: Path) -> None:
    """The mode is read from plans of any version and with unknown fields, but not from another
    format or if it is unknown."""
    assert reader.read_mode(save(saved, tfplan(field(17, 1), field(99, 1), version="9.0"))) is (
        Mode.DESTROY
    )
    assert reader.read_mode(save(saved, field(1, 4) + field(17, 1))) is None
    assert reader.read_mode(save(saved, tfplan(field(17, 9)))) is None


def test_the_states_are_as_stored(saved: Path) -> None:
    file = read(saved)
    assert file.read_prior_state() == file.read_previous_state() == forge.STATE.encode()


def test_the_state_of_another_plan_is_not_given_out(saved: Path) -> None:
    """The states can't be read any more once the plan file was replaced or removed."""
    file = read(saved)
    read(saved, field(17, 1))
    with pytest.raises(UnreadableDocument, match="it is another plan by now"):
        file.read_prior_state()
    saved.unlink()
    with pytest.raises(UnreadableDocument, match="there is no such file"):
        file.read_previous_state()


def test_without_changes_the_prior_state_is_counted(saved: Path) -> None:
    def found(mode: str, *instances: dict[str, str]) -> dict[str, object]:
        return {"mode": mode, "type": "a", "name": "b", "instances": list(instances)}

    resources = [found("managed", {}, {"deposed": "1"}), found("data", {}), found("managed", {})]
    state = json.dumps({"version": 4, "serial": 1, "lineage": "", "resources": resources}).encode()
    saved.write_bytes(forge.zipped(forge.members(tfplan()) | {"tfstate": state}))
    assert reader.read_plan_file(str(saved)).plan.managed == 2
