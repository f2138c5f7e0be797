"""Our scanner finds the same blocks in HCL as python-hcl2."""

from __future__ import annotations

from random import Random
from time import perf_counter
from typing import Any

import pytest
from support.exhaustive import exhaustive_except
from support.hcl import hcl_text
from support.hcl.edges import EDGES

from tfevents.errors import UnreadableDocument
from tfevents.readers.hcl.blocks import Block, Schema, parse_blocks, parse_json_blocks
from tfevents.readers.hcl.expressions import parse_hcl

ALL = Schema(blocks={"b": Schema(1, None), "a": Schema(0, None)})
HOSTILE = [
    "a " * 100_000,
    "/*" * 100_000,
    "/**/" * 100_000,
    "/**" * 100_000,
    '"' * 100_000,
    'a { x = "' + '${"' * 50_000,
    "#\n" * 200_000,
    "a {" * 50_000,
    'a "' + 'b" "' * 50_000,
    " " * 1_000_000,
    "a = <<E\n" * 25_000,
    "a = " + "(" * 50_000 + ")" * 50_000 + "\n",
    "a = {" + "a = {" * 50_000,
    "a {}\n" * 50_000 + "}",
]


def nested(depth: int) -> Schema:
    """A schema with all attributes and all block types of the generator, down to this depth."""
    inner = nested(depth - 1).blocks if depth else {}
    blocks = {name: Schema(labels, None, inner) for name, labels in hcl_text.TYPES.items()}
    return Schema(0, None, blocks)


def as_parsed(block: Block) -> dict[str, Any]:
    """A block in the form that `parse_hcl` returns."""
    found: dict[str, Any] = dict(block.attributes)
    for inner in block.blocks:
        value = as_parsed(inner)
        for label in reversed(inner.labels):
            value = {label: value}
        found.setdefault(inner.type, []).append(value)
    return found


def is_read(text: str) -> bool:
    """Whether the text is read without an error."""
    try:
        parse_blocks(text, "x.tf", Schema(blocks={"alpha": Schema(), "beta": Schema(1)}))
    except UnreadableDocument:
        return False
    return True


@pytest.mark.parametrize("seed", exhaustive_except(range(0, 200, 20), 0))
def test_all_values_are_python_hcl2s(seed: int) -> None:
    """In random documents full of misleading braces, our scanner finds the same blocks, labels and
    values as python-hcl2."""
    for number in range(seed, seed + 20):
        text = hcl_text.document(Random(number))
        assert as_parsed(parse_blocks(text, "x.tf", nested(5))) == parse_hcl(text, "x.tf"), text


@pytest.mark.parametrize(("text", "valid"), EDGES)
def test_edges_of_the_syntax_are_read_as_terraform_reads_them(text: str, valid: bool) -> None:
    """A brace in a text or a comment is no brace, and a text or block without an end is an error,
    as in terraform."""
    assert is_read(text) is valid


def test_only_what_is_wanted_is_taken_apart() -> None:
    """A value that python-hcl2 can't read is no error if the schema does not ask for it."""
    text = 'a {\n  y = "$${"\n  x = "1"\n}\nc { y = "$${" }\n'
    schema = Schema(blocks={"a": Schema(0, frozenset({"x"}))})
    assert parse_blocks(text, "x.tf", schema).blocks == (Block("a", (), {"x": "1"}),)


def test_an_error_names_file_and_line() -> None:
    """The error names the line in which the part without an end begins, and quotes none of the
    text."""
    with pytest.raises(UnreadableDocument, match=r"^net\.tf, line 2: what opens here has no end: "):
        parse_blocks('x = 1\na {\n y = "s3cret"\n', "net.tf", ALL)


def test_json_has_the_same_blocks() -> None:
    """In JSON, keys are labels, a list repeats a block at any level, and `//` is a comment."""
    text = '{"b": [{"l": [{"x": "1"}, {"x": "2", "//": "why"}]}, {"m": {}}], "a": {}, "c": {}}'
    assert parse_json_blocks(text, "x.tf.json", ALL).blocks == (
        Block("b", ("l",), {"x": "1"}),
        Block("b", ("l",), {"x": "2"}),
        Block("b", ("m",)),
        Block("a"),
    )


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"a": ' + "9" * 5000 + "}", '"\\ud800"'], ids=range(5)
)
def test_json_that_is_none_is_one_line(text: str) -> None:
    """Broken, deeply nested and huge documents, and surrogates, all give the same error of one
    line."""
    with pytest.raises(UnreadableDocument, match=r"^x\.tf\.json: this is not JSON: correct it$"):
        parse_json_blocks(text, "x.tf.json", ALL)


@pytest.mark.exhaustive
@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_hostile_text_takes_linear_time(text: str) -> None:
    """A long text on which a careless regular expression would backtrack is read within five
    seconds."""
    start = perf_counter()
    is_read(text)
    assert perf_counter() - start < 5
