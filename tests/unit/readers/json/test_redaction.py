"""What is marked is gone, everywhere; what is not stays as it was."""

from __future__ import annotations

import json
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.redaction import Redactor
from tfevents.readers.json.sensitive_values import HIDDEN


def hidden(document: bytes) -> Any:
    """The document, less what is sensitive."""
    redactor = Redactor()
    redactor.collect(BytesIO(document).read)
    return json.loads(b"".join(redactor.rewrite(BytesIO(document).read)))


@pytest.mark.parametrize("number", ["1e400", "1.00000000000000000001", "-0.0", "12345678901234567"])
def test_numbers_are_what_they_were(number: str) -> None:
    """Also beside what is replaced."""
    text = '{"resource_changes":[{"change":{"after":{"a":"secret","n":%s},'
    text += '"after_sensitive":{"a":true}}}]}'
    redactor = Redactor()
    document = (text % number).encode()
    redactor.collect(BytesIO(document).read)
    written = b"".join(redactor.rewrite(BytesIO(document).read))
    after = json.loads(written, parse_float=Decimal)["resource_changes"][0]["change"]["after"]
    assert after == {"a": HIDDEN, "n": json.loads(number, parse_float=Decimal)}


def change(value: Any, mark: Any, **more: Any) -> Any:
    document = {"output_changes": {"o": {"after": value, "after_sensitive": mark}}, **more}
    return hidden(json.dumps(document).encode())


def test_what_is_trivial_goes_only_where_it_is_marked() -> None:
    """A short text where it is the whole value; true, null and small numbers not elsewhere."""
    values = [True, None, "", 7, "abc", "abcd", 1234]
    found = change(values, [True] * 7, checks=[*values, "xabcx", "xabcdx", "port 1234", "1234"])
    assert found["output_changes"]["o"]["after"] == [HIDDEN] * 7
    rest = [HIDDEN, HIDDEN, HIDDEN, "xabcx", f"x{HIDDEN}x", f"port {HIDDEN}", HIDDEN]
    assert found["checks"] == [True, None, "", 7, *rest]


@pytest.mark.parametrize("mark", [{"a": True}, [[True]], [True, True, True], [False, [True]]])
def test_a_mark_of_another_form_hides_all(mark: Any) -> None:
    """Rather too much than too little."""
    assert "canary" not in json.dumps(change(["open", "canary-two"], mark)["output_changes"])


def test_a_providers_constants_go() -> None:
    """Nothing says which of them are keys."""
    provider = {"name": "aws", "expressions": {"secret_key": {"constant_value": "canary"}}}
    document = {"configuration": {"provider_config": {"aws": provider}, "root_module": {}}}
    assert "canary" not in json.dumps(hidden(json.dumps(document).encode()))


def test_a_marked_attributes_constant_goes_however_short_it_is() -> None:
    """The provider's schema marks it; the configuration does not."""
    document = {
        "resource_changes": [
            {"type": "db", "change": {"after": {"pw": "x"}, "after_sensitive": {"pw": True}}}
        ],
        "configuration": {
            "root_module": {
                "resources": [{"type": "db", "expressions": {"pw": {"constant_value": "x"}}}]
            }
        },
    }
    assert '"x"' not in json.dumps(hidden(json.dumps(document).encode()))


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": 1} x', b'{"variables": nonsense}', b"[NaN]"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    """Nothing of it is passed on unread."""
    with pytest.raises(UnreadableDocument):
        hidden(text)
