"""Plan JSON that is cut off, surrounded by other output, foreign or enormous; and the rules of
counting."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from support.paths import PLANS

from tfevents.errors import UnreadableDocument
from tfevents.readers.json import plan as planjson
from tfevents.readers.json import state
from tfevents.terraform.counts import (
    Counts,
    count_drift,
    count_listed_drift,
    count_outputs,
    count_resources,
    find_unknown_actions,
    has_changes,
)
from tfevents.terraform.plan import Plan

CREATE = (PLANS / "create" / "plan.json").read_bytes()


def document(**members: Any) -> bytes:
    return json.dumps({"format_version": "1.2", **members}).encode()


def change(*actions: str, **members: Any) -> dict[str, Any]:
    mode = members.pop("mode", "managed")
    return {"address": "a.b", "mode": mode, "change": {"actions": list(actions), **members}}


def planned(*changes: dict[str, Any], **members: Any) -> Plan:
    return planjson.parse_plan(document(resource_changes=list(changes), **members))


def drifted(before: Any, after: Any, *actions: str) -> Counts:
    entry = change(*(actions or ("update",)), before=before, after=after)
    return count_listed_drift(planned(resource_drift=[entry]).drift or ())


@pytest.mark.parametrize(("changes", "managed"), [([], 1), ([change("update")], 0)])
def test_the_changes_may_follow_the_prior_state(
    changes: list[dict[str, Any]], managed: int
) -> None:
    """The changes may stand behind the prior state, as `jq -S` writes them. The prior state's
    objects are only counted for a plan without changes, streamed or not."""
    current = {"address": "a.b", "mode": "managed"}
    resources = [current, {**current, "deposed_key": "0a1b2c3d"}, {**current, "mode": "data"}]
    prior = {"format_version": "1.0", "values": {"root_module": {"resources": resources}}}
    text = document(prior_state=prior, resource_changes=changes)
    assert planjson.parse_plan(text).managed == managed
    assert planjson.stream_plan_json(BytesIO(text).read) == planjson.parse_plan(text)


def test_truncated_anywhere_is_unreadable_and_nothing_else() -> None:
    """A plan cut off at any byte is refused as unreadable: it is never counted and raises no other
    error."""
    compact = json.dumps(json.loads(CREATE)).encode()
    for text in (compact, CREATE):
        whole = len(text.rstrip())
        for length in range(whole):
            with pytest.raises(UnreadableDocument):
                planjson.parse_plan(text[:length])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" \n",
        b"null",
        b"[]",
        b"1",
        b'"1.2"',
        b"{}",
        b'{"format_version":null}',
        b'{"format_version":1.2}',
        b'{"format_version":"1.2","resource_changes":{}}',
        b'{"format_version":"1.2","resource_changes":[null]}',
        b'{"format_version":"1.2","resource_changes":[{"change":{"actions":[1]}}]}',
        b'{"format_version":"1.2","resource_changes":[{"address":"a"}]}',
        b'{"format_version":"1.2"}{"format_version":"1.2"}',
        b"PK\x03\x04 a plan file",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf",
        b'{"format_version":"1.2","output_changes":{"\xff":{"actions":["create"]}}}',
    ],
)
def test_what_is_no_plan_is_unreadable(text: bytes) -> None:
    """Any document that is no plan is refused in one line."""
    with pytest.raises(UnreadableDocument) as refused:
        planjson.parse_plan(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.2", "1.99", "1"])
def test_known_majors_are_read(version: str) -> None:
    """Major versions 0 and 1 are read with any minor version, which only adds fields."""
    plan = planjson.parse_plan(json.dumps({"format_version": version}).encode())
    assert plan.format_version == version


@pytest.mark.parametrize("version", ["2.0", "2", "10.1", "", "x", "-1.0"])
def test_unknown_majors_are_refused(version: str) -> None:
    """An unknown major version is refused, because its fields may have another meaning."""
    with pytest.raises(UnreadableDocument, match="format_version"):
        planjson.parse_plan(json.dumps({"format_version": version}).encode())


NOISE = b"Retrying in 1s... {not json}\nWarning: {\n"


@pytest.mark.parametrize("pretty", [None, 2], ids=["one line", "indented"])
@pytest.mark.parametrize("before", [b"", NOISE, b"\n\n", b"  \n"])
@pytest.mark.parametrize("after", [b"", b"\n", b"\nReleasing state lock...\n", b"\r\n"])
def test_noise_around_the_document_is_left_out(
    before: bytes, after: bytes, pretty: int | None
) -> None:
    """Other output before the JSON, as of cloud backends, and behind it, as of shells, is
    ignored."""
    text = before + json.dumps(json.loads(CREATE), indent=pretty).encode() + after
    assert count_resources(planjson.parse_plan(text)) == Counts(added=2)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_what_powershell_writes_is_read(encoding: str) -> None:
    """UTF-16 with a byte order mark is read: PowerShell writes it for `terraform show -json p >
    plan.json`."""
    mark = "" if encoding in ("utf-16", "utf-8-sig") else "\ufeff"
    text = (mark + CREATE.decode() + "\r\n").encode(encoding)
    assert count_resources(planjson.parse_plan(text)) == Counts(added=2)


HUGE = 10**5000


def huge(number: str) -> bytes:
    """A plan with this number, which Python's `json` may refuse to write."""
    return document(
        resource_changes=[change("update", before={"n": "#"}, after={"n": 1})],
        resource_drift=[change("update", before={"n": "#"}, after={"n": 1})],
        output_changes={"o": {"actions": ["update"], "before": "#", "after": 2}},
    ).replace(b'"#"', number.encode())


@pytest.mark.parametrize("number", ["9" * 5000, "1e400", "-0.0", "1" + "0" * 30 + ".5"])
def test_no_number_is_too_large(number: str) -> None:
    """Numbers are compared as text: none overflows, and none is rounded to another one."""
    plan = planjson.parse_plan(huge(number))
    assert count_resources(plan) == Counts(changed=1)
    assert count_listed_drift(plan.drift or ()) == Counts(changed=1)
    assert count_outputs(plan) == Counts(changed=1)


def test_numbers_that_differ_in_the_last_digit_are_drift() -> None:
    """Two different integers that are the same as floats count as drift."""
    assert drifted({"n": 2**64 + 1}, {"n": 2**64 + 2}) == Counts(changed=1)


@pytest.mark.parametrize("depth", [10, 100, 500, 900, 5_000, 200_000])
@pytest.mark.parametrize("where", ["resource_drift", "resource_changes", "output_changes", "other"])
def test_deep_nesting_is_read_or_unreadable(depth: int, where: str) -> None:
    """A deeply nested value is read or refused as unreadable; it raises no other error."""
    deep = '{"k":[' * depth + "1" + "]}" * depth
    entry = f'{{"address":"a","change":{{"actions":["update"],"before":{deep},"after":null}}}}'
    text = {
        "resource_drift": f'"resource_drift":[{entry}]',
        "resource_changes": f'"resource_changes":[{entry}]',
        "output_changes": f'"output_changes":{{"o":{{"actions":["update"],"before":{deep}}}}}',
        "other": f'"configuration":{deep}',
    }[where]
    try:
        planjson.parse_plan(f'{{"format_version":"1.2",{text}}}'.encode())
    except UnreadableDocument as refused:
        assert depth >= 100, refused  # only a deep document may be refused


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (("create",), Counts(added=1)),
        (("update",), Counts(changed=1)),
        (("delete",), Counts(deleted=1)),
        (("forget",), Counts(removed=1)),
        (("no-op",), Counts(unchanged=1)),
        (("read",), Counts()),
        (("delete", "create"), Counts(added=1, deleted=1)),
        (("create", "delete"), Counts(added=1, deleted=1)),
        (("create", "forget"), Counts(added=1, removed=1)),
        (("forget", "create"), Counts(added=1, removed=1)),
    ],
)
def test_each_action_counts_as_it_is_done(actions: tuple[str, ...], expected: Counts) -> None:
    """Every action, and every pair of actions in either order, adds to the right counts."""
    assert count_resources(planned(change(*actions))) == expected
    assert not find_unknown_actions(planned(change(*actions)))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (change("no-op", importing={"id": "x"}), Counts(imported=1)),
        (change("update", importing={"id": "x"}), Counts(imported=1, changed=1)),
        (change("create", "delete", importing={}), Counts(imported=1, added=1, deleted=1)),
        (change("no-op") | {"previous_address": "a.old"}, Counts()),
        (change("no-op") | {"previous_address": "a.b"}, Counts(unchanged=1)),
        (change("update") | {"previous_address": "a.old"}, Counts(changed=1)),
        (change("delete") | {"deposed": "12345678"}, Counts(deleted=1)),
        (change("forget") | {"deposed": "12345678"}, Counts(removed=1)),
        (change("create", mode="data"), Counts()),
        (change("delete", mode="data"), Counts()),
        (change("open", mode="ephemeral"), Counts()),
    ],
)
def test_imports_moves_and_deposed_objects(entry: dict[str, Any], expected: Counts) -> None:
    """An import is counted in addition to its action, a move without another action is not counted,
    and a deposed object is counted as one."""
    assert count_resources(planned(entry)) == expected


def test_an_unknown_action_is_named_and_not_guessed() -> None:
    """With an action that is not known, such as "teleport", the counts are None and the action is
    named."""
    plan = planned(change("teleport"), change("create"), change("dance", mode="data"))
    assert count_resources(plan) is None
    assert find_unknown_actions(plan) == {"teleport"}
    assert has_changes(plan)


def test_an_unknown_action_makes_only_its_own_counts_absent() -> None:
    """Counts of outputs or drift with an unknown action are None; the resources are still
    counted."""
    plan = planned(
        change("create"),
        resource_drift=[change("update", before=1, after=2), change("teleport")],
        output_changes={"o": {"actions": ["teleport"]}, "p": {"actions": ["create"]}},
    )
    assert count_resources(plan) == Counts(added=1)
    assert count_outputs(plan) is None
    assert count_drift(plan.drift or ()) is None


@pytest.mark.parametrize(
    ("entry", "acts"),
    [
        (change("no-op"), False),
        (change("read", mode="data"), False),
        (change("open", mode="ephemeral"), False),
        (change("forget"), True),
        (change("no-op", importing={"id": "x"}), True),
        (change("no-op") | {"previous_address": "a.old"}, True),
    ],
)
def test_something_to_apply_without_terraforms_word(entry: dict[str, Any], acts: bool) -> None:
    """Whether there is something to apply is derived from the changes if `applyable` is missing, as
    in OpenTofu and in terraform before 1.8."""
    assert has_changes(planned(entry)) is acts


@pytest.mark.parametrize(
    ("before", "after", "real"),
    [
        ({"tags": None}, {"tags": {}}, False),
        ({"tags": None, "n": 1}, {"tags": {}, "n": 1}, False),
        ({"a": ""}, {"a": None}, False),
        ({"a": []}, {}, False),
        ({"a": [None, {"b": {}}]}, {"a": None}, False),
        ({"a": 1}, {"a": 1}, False),
        ({"a": 0}, {"a": None}, True),
        ({"a": False}, {"a": None}, True),
        ({"a": [1, None]}, {"a": [1]}, True),
        ({"a": {"b": 1}}, {"a": {"b": "1"}}, True),
        (None, {"a": 1}, True),
    ],
)
def test_drift_that_nobody_made_is_not_counted(before: Any, after: Any, real: bool) -> None:
    """null, "", [] and {} count as the same value, because providers mix them; every other
    difference is drift."""
    assert drifted(before, after) == Counts(changed=int(real))


def test_drift_of_other_kinds() -> None:
    """An object that no longer exists counts as deleted; a move is no drift; an unknown action is
    not counted."""
    assert drifted({"a": 1}, None, "delete") == Counts(deleted=1)
    assert drifted({"a": 1}, {"a": 1}, "no-op") == Counts()
    assert drifted({"a": 1}, {"a": 2}, "teleport") == Counts()


def test_a_null_output_is_in_no_state() -> None:
    """An output that is null before and after does not count as unchanged."""
    none = {"actions": ["no-op"], "before": None, "after": None, "after_unknown": False}
    same = none | {"before": 1, "after": 1}
    plan = planned(output_changes={"none": none, "same": same})
    assert count_outputs(plan) == Counts(unchanged=1)


@pytest.mark.parametrize("size", range(0, 320, 7))
def test_a_truncated_state_is_unreadable(size: int) -> None:
    """A state file that is cut off is refused, not taken for an empty state."""
    text = (PLANS / "create" / "state_after.tfstate").read_bytes()[:size]
    with pytest.raises(UnreadableDocument):
        state.parse_state_file(text)
