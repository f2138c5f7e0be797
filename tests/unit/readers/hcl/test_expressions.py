"""HCL is parsed into plain Python values."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.fuzzing import Examples
from support.spoiled_text import spoil_text

from tfevents.errors import UnreadableDocument
from tfevents.readers.hcl.expressions import parse_hcl

VALUES: list[tuple[str, dict[str, Any]]] = [
    ('a = "text"', {"a": "text"}),
    ('a = "q\\"uo\\nte \\\\ \\u00e9"', {"a": 'q"uo\nte \\ é'}),
    ("a = 7\nb = -1.5\nc = true\nd = null", {"a": 7, "b": -1.5, "c": True, "d": None}),
    ('a = [1, "two",\n  # why\n  ["x"]]', {"a": [1, "two", ["x"]]}),
    ('a = {"k" = "v", l : 2}', {"a": {"k": "v", "l": 2}}),
    ('a = "${var.x}-y"\nb = var.x', {"a": "${var.x}-y", "b": "${var.x}"}),
    ('b "x" "y" {\n  c = 1\n}', {"b": [{"x": {"y": {"c": 1}}}]}),
    ("b {}\nb {\n  c {}\n}", {"b": [{}, {"c": [{}]}]}),
    ("\ufeffa = 1\r\nb {\r\n}\r\n", {"a": 1, "b": [{}]}),
    ("# nothing\n", {}),
    ("", {}),
]
ERRORS = [
    ("a = ", "x.hcl, line 1, column 5: unexpected end of line"),
    ("a = 1\nb == 2\n", "x.hcl, line 2, column 3: unexpected '=='"),
    ('module "x" {\n', "x.hcl, line 2, column 1: unexpected end of file"),
    ("}", "x.hcl, line 1, column 1: unexpected '}'"),
    ("a = @", "x.hcl, line 1, column 5: unexpected '@'"),
    ("a = \x00", "x.hcl, line 1, column 5: unexpected character"),
    ("a = 1\na = 2", "x.hcl, line 2, column 1: 'a' is set a second time"),
    ("b {\n a = 1\n a = 2\n}", "x.hcl, line 3, column 2: 'a' is set a second time"),
    ("b {}\nb = 1", "x.hcl, line 2, column 1: 'b' is set a second time"),
    ("a = " + "9" * 5000, "x.hcl: a number is too long or it is nested too deeply"),
    ("a = " + "{a = " * 1000 + "1" + "}" * 1000, "x.hcl: it is nested too deeply"),
    ('a = "%{ if x }"', "x.hcl: a template in it has no end"),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_text_becomes_plain_values(text: str, expected: dict[str, Any]) -> None:
    """Texts have no quotes, blocks are lists of dicts, and python-hcl2's own members are not
    added."""
    assert parse_hcl(text, "x.hcl") == expected


@pytest.mark.parametrize(("text", "message"), ERRORS, ids=range(len(ERRORS)))
def test_an_error_is_one_line_with_its_place(text: str, message: str) -> None:
    """The error is one line that names the place and what to do, without the parser's list of
    tokens."""
    with pytest.raises(UnreadableDocument) as caught:
        parse_hcl(text, "x.hcl")
    assert str(caught.value) == f"{message}: correct the HCL there"


@pytest.mark.parametrize(
    "text",
    ['key = "pat.acc.s3cret" "s3cret"', "key = 1 s3cret", "key = <<E\ns3cret\n", 'key = "s3cret'],
)
def test_an_error_never_quotes_what_could_be_a_key(text: str) -> None:
    """An error calls names, numbers and texts by their kind and does not quote them."""
    with pytest.raises(UnreadableDocument) as caught:
        parse_hcl(text, "x.hcl")
    assert "s3cret" not in str(caught.value)


@pytest.mark.exhaustive
def test_threads_do_not_read_each_others_text() -> None:
    """Several threads can parse at once, although python-hcl2's parser, one for the whole process,
    is not thread-safe."""
    texts = [f'locals {{\n  n{n} = "{n}"\n  list = [{n}, {n}]\n}}\n' * 5 for n in range(60)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda text: parse_hcl(text, "main.tf"), texts))
    assert found == [parse_hcl(text, "main.tf") for text in texts]


EXPRESSIONS = [
    *(text for text, _ in VALUES if text),
    'a = v ? "1" : foo(2, [for x in y : x if z]...)\n',
    "a = {for k, v in m : k => v...}\nb = m.x[0].*.c[*].d\n",
    "a = -1.5e3 + !true && (1 >= 2) || x != y % 3\n",
    'b "x" {\n  c = <<-EOT\n    t ${upper("x")} %{if a}b%{else}c%{endif}\n  EOT\n}\n',
    "a = provider::x::f(<<E\n%{for v in w ~}\n$${v}\n%{endfor}\nE\n)\n",
]


@pytest.mark.fuzz("HCL expressions", 1000)
def test_spoiled_text_is_read_or_told(examples: Examples) -> None:
    """A spoiled text is read or refused with UnreadableDocument, in one line that begins with the
    file's name."""
    read = 0
    for dice in examples:
        text = spoil_text(dice.choice(EXPRESSIONS), dice)
        try:
            parse_hcl(text, "x.hcl")
            read += 1
        except UnreadableDocument as error:
            assert re.fullmatch(r"x\.hcl[,:] [^\n]+: correct the HCL there", str(error)), text
    examples.check_both(read)
