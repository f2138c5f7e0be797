"""States: objects by the addresses that terraform gives them, emptiness, identity, checksum."""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path

import pytest
from support.paths import PLANS

from tfevents.errors import UnreadableDocument
from tfevents.readers.json import state
from tfevents.terraform.state import NEVER_WRITTEN, State, unescape_address

STATES = [
    path.parent
    for path in sorted(PLANS.glob("*/state_after.tfstate"))
    if path.stat().st_size  # some were never applied
]


def test_a_literal_address_has_its_key_as_it_is() -> None:
    """Quoting differs by the Unicode version of the tool, what was quoted does not."""
    quoted = r'module.m["q\""].a.b["\\u0041 \u200b\U000e0001 $${x} %%{y} $$$${ \n"]'
    key = "\\u0041 \u200b\U000e0001 ${x} %{y} $$${ \n"
    assert unescape_address(quoted) == f'module.m["q""].a.b["{key}"]'
    last, beyond = r'a.b["\U0010ffff"]', r'a.b["\U00110000 \Uffffffff"]'
    assert unescape_address(last) == 'a.b["\U0010ffff"]'
    assert unescape_address(beyond) == beyond


@pytest.mark.parametrize("place", STATES, ids=lambda path: path.name)
def test_both_forms_hold_the_same_objects(place: Path) -> None:
    """`state pull` and `show -json` of one state: the same objects, outputs and emptiness."""
    pulled = state.parse_state((place / "state_after.tfstate").read_bytes())
    shown = state.parse_state((place / "state_after.json").read_bytes())
    assert pulled.objects.keys() == shown.objects.keys()
    assert pulled.outputs == shown.outputs
    assert (pulled.empty, pulled.managed, pulled.tainted) == (
        shown.empty,
        shown.managed,
        shown.tainted,
    )


@pytest.mark.parametrize("place", STATES, ids=lambda path: path.name)
def test_checksum_is_that_of_the_stored_file(place: Path) -> None:
    """`state pull` prints the stored file and one more newline, which is not part of it."""
    stored = (place / "state_after.tfstate").read_bytes()
    assert state.parse_state_file(stored + b"\n").checksum == hashlib.sha256(stored).hexdigest()


CHECK = '{{"object_kind": "check", "config_addr": "{}", "status": "pass", "objects": [{}]}}'
OBJECT = '{{"object_addr": "{}", "status": "pass"}}'


def checked(*results: str) -> bytes:
    """A state file with these check results."""
    head = '{"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": [],'
    return f'{head}\n  "check_results": [{", ".join(results)}]\n}}\n'.encode()


def test_check_results_in_another_order_are_the_same_state() -> None:
    """Every terraform and OpenTofu prints them anew at each `state pull`."""
    one, other = OBJECT.format("a[0]"), OBJECT.format("a[1]")
    a, b = CHECK.format("a", f"{one}, {other}"), CHECK.format("check.b", OBJECT.format("check.b"))
    turned = CHECK.format("a", f"{other}, {one}")
    orders = [(a, b), (b, a), (turned, b), (b, turned)]
    checksums = {state.parse_state_file(checked(*order)).checksum for order in orders}
    assert len(checksums) == 1
    failed = b.replace("pass", "fail")
    assert state.parse_state_file(checked(a, failed)).checksum not in checksums


def test_one_check_result_leaves_the_checksum_that_of_the_stored_file() -> None:
    stored = checked(CHECK.format("a", OBJECT.format("a")))
    checksum = hashlib.sha256(stored.removesuffix(b"\n")).hexdigest()
    assert state.parse_state_file(stored).checksum == checksum


def test_white_space_is_no_difference() -> None:
    """OpenTofu stores the same state indented in one place and compact in another."""
    stored = (PLANS / "update" / "state_after.tfstate").read_bytes()
    compact = json.dumps(json.loads(stored), separators=(",", ":")).encode()
    assert state.parse_state_file(stored).objects == state.parse_state_file(compact).objects


def test_only_outputs_left_is_not_empty() -> None:
    """Outputs alone keep a state alive; data sources alone do not."""
    head = '"version":4,"serial":3,"lineage":"l","resources":'
    data = '[{"mode":"data","type":"t","name":"n","instances":[{"attributes":{}}]}]'
    assert state.parse_state_file(f'{{{head}{data},"outputs":{{}}}}'.encode()).empty
    assert not state.parse_state_file(
        f'{{{head}[],"outputs":{{"o":{{"value":1}}}}}}'.encode()
    ).empty


@pytest.mark.parametrize("form", ["stored", "shown"])
def test_an_output_that_is_null_is_as_good_as_none(form: str) -> None:
    """OpenTofu stores one that was not known when a refresh-only plan was applied."""
    outputs = '"outputs":{"o":{"value":null,"type":"dynamic"}}'
    if form == "shown":
        text = f'{{"format_version":"1.0","values":{{{outputs},"root_module":{{}}}}}}'
        assert state.parse_state(text.encode()).empty
    else:
        text = f'{{"version":4,"serial":1,"lineage":"l","resources":[],{outputs}}}'
        assert state.parse_state_file(text.encode()).empty


def test_identity_tells_states_apart() -> None:
    """A state that was never written is the one that a first plan is made on."""
    assert State().identity == NEVER_WRITTEN
    first = b'{"version":4,"serial":0,"lineage":"","outputs":{},"resources":[]}'
    assert state.parse_state_file(first).identity == NEVER_WRITTEN


@pytest.mark.parametrize(
    "text", [b"", b"{}", b'{"version":3,"serial":1,"lineage":"l"}', b'{"version":4}', b"null"]
)
def test_what_is_no_state_is_unreadable(text: bytes) -> None:
    """Anything else is refused."""
    with pytest.raises(UnreadableDocument):
        state.parse_state_file(text)


def test_a_huge_serial_is_a_serial() -> None:
    """No integer is too large."""
    huge = 10**30
    text = f'{{"version":4,"serial":{huge},"lineage":"l"}}'.encode()
    assert state.parse_state_file(text).serial == huge


def nest(modules: int) -> bytes:
    """A shown state with an object in its innermost module."""
    inner = '{"resources":[{"address":"a.b"},{"address":"a.c","deposed_key":"d"}]}'
    for _ in range(modules):
        inner = f'{{"child_modules":[{inner}]}}'
    return f'{{"format_version":"1.0","values":{{"root_module":{inner}}}}}'.encode()


@pytest.mark.parametrize("modules", [0, 1, 90])
def test_a_shown_state_is_measured_as_it_is_parsed(modules: int) -> None:
    assert state.measure_shown_state(BytesIO(nest(modules)).read).managed == 1
    assert state.parse_shown_state(nest(modules)).managed == 1


def test_modules_that_never_end_are_refused() -> None:
    with pytest.raises(UnreadableDocument, match="modules in more than 100 others"):
        state.measure_shown_state(BytesIO(nest(1_000)).read)
