"""Whatever a document contains, its reader reads it or raises UnreadableDocument with a message of
one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest
from support.exhaustive import exhaustive_except
from support.fuzzing import Examples
from support.paths import ENGINES, PLANS
from support.planfile import forge
from support.spoiled_documents import ODD, reshape_json, spoil_bytes

from tfevents.context import cost
from tfevents.errors import UnreadableDocument
from tfevents.readers import counting
from tfevents.readers.hcl import blocks
from tfevents.readers.json import plan, state
from tfevents.readers.json.plan import stream_plan_json
from tfevents.readers.json.redaction.redactor import PLAN, STATE, Redactor
from tfevents.readers.planfile import archive, cty
from tfevents.readers.planfile import reader as planfile
from tfevents.readers.state_size import measure_state_file
from tfevents.terraform.arguments import parse_arguments

COST = {
    "version": "0.2",
    "currency": "USD",
    "projects": [
        {
            "name": "caf\xe9",
            "metadata": {"path": name, "vcsSubPath": f"live/{name}", "type": "terraform_dir"},
            "breakdown": {"resources": [{"name": "a.b", "hourlyCost": "1"}], **total},
            "pastBreakdown": total,
            "diff": total,
        }
        for name, total in (("a", {"totalMonthlyCost": "1"}), ("b", {"totalMonthlyCost": "2"}))
    ],
    "totalMonthlyCost": "3",
    "pastTotalMonthlyCost": "2",
    "diffTotalMonthlyCost": "1",
}
CTY = {
    "id": "a",
    "tags": {"b": "c"},
    "any": [b'["map","number"]', {"x": 1}],
    "object": [b'["object",{"a":"string","b":["list","bool"]}]', {"a": "x", "b": [True]}],
    "tuple": [b'["tuple",["number","dynamic"]]', [1, [b'"string"', "x"]]],
    "unknown": msgspec.msgpack.Ext(0, b"\0"),
    "number": 1.5,
}


def pull(data: bytes) -> Callable[[int], bytes]:
    """A function that reads the data in pieces, like a pipe's."""
    return BytesIO(data).read


def show_nothing(path: str, mode: object) -> None:
    """Stands for a provisioner that can't show a plan file."""


def redact(data: bytes) -> None:
    """Redacts a document and discards the result."""
    redactor = Redactor()
    redactor.collect(pull(data))
    for _ in redactor.rewrite(pull(data), PLAN | STATE):
        pass


READERS: list[tuple[str, Callable[[bytes], object]]] = [
    ("plan.json", plan.parse_plan),
    ("plan.json", lambda data: stream_plan_json(pull(data))),
    ("plan.json", redact),
    ("plan.json", state.is_state),
    ("state_after.json", state.parse_state),
    ("state_after.json", redact),
    ("state_after.tfstate", state.parse_state),
    ("state_after.tfstate", state.parse_state_file),
    ("state_after.tfstate", redact),
    ("state_after.tfstate", lambda data: measure_state_file(pull(data))),
    ("plan.json", lambda data: counting.count_stream(pull(data), "x", show_nothing)),
    ("state_after.json", lambda data: counting.count_stream(pull(data), "x", show_nothing)),
    ("cost", lambda data: cost.parse_cost(data, "live/a", "default")),
    ("cost", cost.redact_document),
    (
        "main.tf",
        lambda data: blocks.parse_blocks(data.decode("utf-8", "replace"), "main.tf", ANYTHING),
    ),
]
QUICK = [number for number, (name, _) in enumerate(READERS) if name != "main.tf"]
"""All but the one that loads the slow grammar of python-hcl2."""
ANYTHING = blocks.Schema(attributes=None, blocks={"resource": blocks.Schema(2, None)})


def documents(name: str) -> list[str]:
    """The texts of some valid documents of this name."""
    if name == "cost":
        return [json.dumps(COST), json.dumps(COST, ensure_ascii=False)]
    found = [PLANS / case / name for case in ("sensitive", "update", "count_foreach", "deposed")]
    return [path.read_text() for path in found if path.stat().st_size]


@pytest.mark.fuzz("plan and state JSON, costs, *.tf", 200)
@pytest.mark.parametrize("number", exhaustive_except(range(len(READERS)), *QUICK))
def test_a_document_is_read_or_told(number: int, examples: Examples) -> None:
    """A spoiled document, also one in Latin-1 or with values of other types, is read or refused in
    one line."""
    name, read = READERS[number]
    texts = documents(name)
    refused = 0
    for dice in examples:
        text = dice.choice(texts)
        is_json = name != "main.tf" and dice.random() < 0.6
        data = reshape_json(text, dice) if is_json else spoil_bytes(text.encode(), dice)
        try:
            read(data)
        except UnreadableDocument as error:
            refused += 1
            assert "\n" not in str(error)
    examples.check_both(refused)


@pytest.mark.fuzz("plan files' values", 2000)
def test_a_value_of_a_plan_file_is_read_or_told(examples: Examples) -> None:
    """A plan file's value that is spoiled or does not fit its type is read or refused."""
    refused = 0
    for dice in examples:
        node = {**CTY}
        odd = dice.choice((*ODD[:5], *ODD[6:8], *ODD[9:], b"x", b'["map"]', b"[[]]", b'{"a":1}'))
        name = dice.choice([*CTY])
        value = node[name]
        if isinstance(value, list) and dice.random() < 0.8:
            node[name] = [*value]
            node[name][dice.randrange(2)] = odd
        else:
            node[name] = odd
        packed = msgspec.msgpack.encode(node)
        if dice.random() < 0.3:
            packed = spoil_bytes(packed, dice)
        try:
            cty.parse_value(packed)
        except UnreadableDocument:
            refused += 1
    examples.check_both(refused)


@pytest.mark.fuzz("plan files", 200)
def test_a_plan_file_is_read_or_told(tmp_path: Path, examples: Examples) -> None:
    """A plan file whose zip is spoiled, or whose valid zip has a spoiled member, is read or refused
    in one line."""
    path, refused = tmp_path / "p.tfplan", 0
    recorded = sorted(ENGINES.glob("*/*/plan.tfplan"))
    for dice in examples:
        content = dice.choice(recorded).read_bytes()
        if dice.random() < 0.3:
            path.write_bytes(spoil_bytes(content, dice))
        else:
            with ZipFile(BytesIO(content)) as zipped:
                members = {name: zipped.read(name) for name in zipped.namelist()}
            name = dice.choice([archive.PLAN, archive.PLAN, archive.PRIOR, archive.LOCK])
            path.write_bytes(forge.zipped(members | {name: spoil_bytes(members[name], dice)}))
        try:
            planfile.read_mode(str(path))
            planfile.read_plan_file(str(path))
        except UnreadableDocument as error:
            refused += 1
            assert "\n" not in str(error)
    examples.check_both(refused)


WORDS = (
    "plan",
    "apply",
    "-out",
    "-out=",
    "-chdir=",
    "-target=a",
    "--",
    "-",
    "",
    "\xe9",
    "-x=\n=",
    "-var",
    "-json",
)


@pytest.mark.fuzz("terraform's arguments", 2000)
def test_arguments_are_parsed_whatever_they_are(examples: Examples) -> None:
    """Any command line and any TF_CLI_ARGS, also with broken quotes, is parsed without an error."""
    for dice in examples:
        argv = tuple(dice.choices((*WORDS, "p.tfplan", "\udcff"), k=dice.randrange(6)))
        quoted = "".join(dice.choices(" '\"\\\\-=ab", k=dice.randrange(12)))
        found = parse_arguments(argv, {"TF_CLI_ARGS": quoted, "TF_CLI_ARGS_plan": quoted})
        assert found is None or found.command in argv


@pytest.mark.fuzz("plan files' values", 2000)
def test_random_bytes_are_no_value(examples: Examples) -> None:
    """Random bytes raise no other error than UnreadableDocument when they are read as a plan file's
    value."""
    for dice in examples:
        try:
            cty.parse_value(dice.randbytes(dice.randrange(40)))
        except UnreadableDocument:
            continue


@pytest.mark.parametrize("kind", ["map", "object", "list", "set", "tuple", "string", "bool"])
@pytest.mark.parametrize("value", [1, "x", [1], {"a": 1}, True])
def test_a_value_that_does_not_fit_its_type(kind: str, value: object) -> None:
    """A value that does not fit the type beside it is refused."""
    inner = {"object": {"a": "string"}, "tuple": ["string"]}.get(kind, "string")
    written = kind if kind in ("string", "bool") else [kind, inner]
    packed = msgspec.msgpack.encode([json.dumps(written).encode(), value])
    fits = {"string": str, "bool": bool}.get(kind)
    if fits and isinstance(value, fits):
        assert cty.parse_value(packed) == (value, False)
        return
    with pytest.raises(UnreadableDocument):
        cty.parse_value(packed)


@pytest.mark.parametrize("name", ["totalMonthlyCost", "pastTotalMonthlyCost", "currency"])
def test_a_cost_file_in_latin_1_is_told(name: str) -> None:
    """A cost file in Latin-1 or another encoding of the system is refused in one line."""
    document = {**COST, "projects": None, name: "3 \xe9"}
    data = json.dumps(document, ensure_ascii=False).encode("latin-1")
    with pytest.raises(UnreadableDocument, match=r"^this is not Infracost JSON: [^\n]+$"):
        cost.parse_cost(data, "live/a", "default")
