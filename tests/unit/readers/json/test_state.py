"""States: the addresses of their objects, whether they are empty, their identity and checksum."""

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
    """Addresses are compared with their keys unescaped, because tools escape by different versions
    of Unicode."""
    quoted = r'module.m["q\""].a.b["\\u0041 \u200b\U000e0001 $${x} %%{y} $$$${ \n"]'
    key = "\\u0041 \u200b\U000e0001 ${x} %{y} $$${ \n"
    assert unescape_address(quoted) == f'module.m["q""].a.b["{key}"]'
    last, beyond = r'a.b["\U0010ffff"]', r'a.b["\U00110000 \Uffffffff"]'
    assert unescape_address(last) == 'a.b["\U0010ffff"]'
    assert unescape_address(beyond) == beyond


@pytest.mark.parametrize("place", STATES, ids=lambda path: path.name)
def test_both_forms_hold_the_same_objects(place: Path) -> None:
    """`state pull` and `show -json` of the same state give the same objects, outputs and
    emptiness."""
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
    """The checksum is that of the stored file, without the newline that `state pull` adds."""
    stored = (place / "state_after.tfstate").read_bytes()
    assert state.parse_state_file(stored + b"\n").checksum == hashlib.sha256(stored).hexdigest()


CHECK = '{{"object_kind": "check", "config_addr": "{}", "status": "pass", "objects": [{}]}}'
OBJECT = '{{"object_addr": "{}", "status": "pass"}}'


def checked(*results: str) -> bytes:
    """A state file with these check results."""
    head = '{"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": [],'
    return f'{head}\n  "check_results": [{", ".join(results)}]\n}}\n'.encode()


def test_check_results_in_another_order_are_the_same_state() -> None:
    """The order of check results does not change the checksum, because each `state pull` prints
    another one; their status does."""
    one, other = OBJECT.format("a[0]"), OBJECT.format("a[1]")
    a, b = CHECK.format("a", f"{one}, {other}"), CHECK.format("check.b", OBJECT.format("check.b"))
    turned = CHECK.format("a", f"{other}, {one}")
    orders = [(a, b), (b, a), (turned, b), (b, turned)]
    checksums = {state.parse_state_file(checked(*order)).checksum for order in orders}
    assert len(checksums) == 1
    failed = b.replace("pass", "fail")
    assert state.parse_state_file(checked(a, failed)).checksum not in checksums


def test_one_check_result_leaves_the_checksum_that_of_the_stored_file() -> None:
    """With a single check result, the checksum is that of the stored file."""
    stored = checked(CHECK.format("a", OBJECT.format("a")))
    checksum = hashlib.sha256(stored.removesuffix(b"\n")).hexdigest()
    assert state.parse_state_file(stored).checksum == checksum


def test_white_space_is_no_difference() -> None:
    """The objects of an indented state and of a compact one are equal: OpenTofu stores both
    forms."""
    stored = (PLANS / "update" / "state_after.tfstate").read_bytes()
    compact = json.dumps(json.loads(stored), separators=(",", ":")).encode()
    assert state.parse_state_file(stored).objects == state.parse_state_file(compact).objects


def test_only_outputs_left_is_not_empty() -> None:
    """A state with only outputs is not empty; one with only data sources is."""
    head = '"version":4,"serial":3,"lineage":"l","resources":'
    data = '[{"mode":"data","type":"t","name":"n","instances":[{"attributes":{}}]}]'
    assert state.parse_state_file(f'{{{head}{data},"outputs":{{}}}}'.encode()).empty
    assert not state.parse_state_file(
        f'{{{head}[],"outputs":{{"o":{{"value":1}}}}}}'.encode()
    ).empty


@pytest.mark.parametrize("form", ["stored", "shown"])
def test_an_output_that_is_null_is_as_good_as_none(form: str) -> None:
    """A state whose only output is null is empty. OpenTofu stores such an output if its value was
    unknown when a refresh-only plan was applied."""
    outputs = '"outputs":{"o":{"value":null,"type":"dynamic"}}'
    if form == "shown":
        text = f'{{"format_version":"1.0","values":{{{outputs},"root_module":{{}}}}}}'
        assert state.parse_state(text.encode()).empty
    else:
        text = f'{{"version":4,"serial":1,"lineage":"l","resources":[],{outputs}}}'
        assert state.parse_state_file(text.encode()).empty


def test_identity_tells_states_apart() -> None:
    """A state without serial and lineage has the identity of a state that was never written."""
    assert State().identity == NEVER_WRITTEN
    first = b'{"version":4,"serial":0,"lineage":"","outputs":{},"resources":[]}'
    assert state.parse_state_file(first).identity == NEVER_WRITTEN


@pytest.mark.parametrize(
    "text", [b"", b"{}", b'{"version":3,"serial":1,"lineage":"l"}', b'{"version":4}', b"null"]
)
def test_what_is_no_state_is_unreadable(text: bytes) -> None:
    """A document that is no complete state of version 4 is refused."""
    with pytest.raises(UnreadableDocument):
        state.parse_state_file(text)


def test_a_huge_serial_is_a_serial() -> None:
    """A serial may be an integer of any size."""
    huge = 10**30
    text = f'{{"version":4,"serial":{huge},"lineage":"l"}}'.encode()
    assert state.parse_state_file(text).serial == huge


def nest(modules: int) -> bytes:
    """A shown state whose object is in the innermost of so many nested modules."""
    inner = '{"resources":[{"address":"a.b"},{"address":"a.c","deposed_key":"d"}]}'
    for _ in range(modules):
        inner = f'{{"child_modules":[{inner}]}}'
    return f'{{"format_version":"1.0","values":{{"root_module":{inner}}}}}'.encode()


@pytest.mark.parametrize("modules", [0, 1, 90])
def test_a_shown_state_is_measured_as_it_is_parsed(modules: int) -> None:
    """The streaming reader counts as many managed objects as the parser."""
    assert state.measure_shown_state(BytesIO(nest(modules)).read).managed == 1
    assert state.parse_shown_state(nest(modules)).managed == 1


def test_modules_that_never_end_are_refused() -> None:
    """A state with more than 100 nested modules is refused."""
    with pytest.raises(UnreadableDocument, match="modules in more than 100 others"):
        state.measure_shown_state(BytesIO(nest(1_000)).read)
