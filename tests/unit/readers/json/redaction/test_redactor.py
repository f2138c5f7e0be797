"""Values that are marked as sensitive are removed from everywhere in a document; all else stays."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.redaction.redactor import PLAN, PRICED, STATE, Redactor
from tfevents.readers.json.redaction.sensitive_values import HIDDEN


def hidden(document: bytes, sections: frozenset[str] = PLAN | STATE) -> Any:
    """The redacted document."""
    redactor = Redactor()
    redactor.collect(BytesIO(document).read)
    return json.loads(b"".join(redactor.rewrite(BytesIO(document).read, sections)))


@pytest.mark.parametrize("number", ["1e400", "1.00000000000000000001", "-0.0", "12345678901234567"])
def test_numbers_are_what_they_were(number: str) -> None:
    """Numbers keep their exact value, also beside a value that is replaced."""
    text = '{"resource_changes":[{"change":{"after":{"a":"secret","n":%s},'
    text += '"after_sensitive":{"a":true}}}]}'
    redactor = Redactor()
    document = (text % number).encode()
    redactor.collect(BytesIO(document).read)
    written = b"".join(redactor.rewrite(BytesIO(document).read, PLAN | STATE))
    after = json.loads(written, parse_float=Decimal)["resource_changes"][0]["change"]["after"]
    assert after == {"a": HIDDEN, "n": json.loads(number, parse_float=Decimal)}


def change(value: Any, mark: Any, **more: Any) -> Any:
    """The redacted form of a document with one output change of this value and mark."""
    document = {"output_changes": {"o": {"after": value, "after_sensitive": mark}}, **more}
    return hidden(json.dumps(document).encode())


def test_what_is_trivial_goes_only_where_it_is_marked() -> None:
    """Elsewhere in the document a short sensitive text is only replaced as a whole value, and true,
    null, an empty text and small numbers are not replaced at all."""
    values = [True, None, "", 7, "abc", "abcd", 1234]
    found = change(values, [True] * 7, checks=[*values, "xabcx", "xabcdx", "port 1234", "1234"])
    assert found["output_changes"]["o"]["after"] == [HIDDEN] * 7
    rest = [HIDDEN, HIDDEN, HIDDEN, "xabcx", f"x{HIDDEN}x", f"port {HIDDEN}", HIDDEN]
    assert found["checks"] == [True, None, "", 7, *rest]


@pytest.mark.parametrize("mark", [{"a": True}, [[True]], [True, True, True], [False, [True]]])
def test_a_mark_of_another_form_hides_all(mark: Any) -> None:
    """If the marks do not have the form of the value, the whole value is replaced."""
    assert "canary" not in json.dumps(change(["open", "canary-two"], mark)["output_changes"])


def test_only_known_sections_stay() -> None:
    """Sections that are not known, such as those of a later format, are left out."""
    document = {
        "configuration": {"a": "canary"},
        "variables": {},
        "x_changes": "canary",
        "checks": [],
    }
    assert hidden(json.dumps(document).encode()) == {"checks": []}


SECRET = 'canary <one> & "two"'
ENCODED = [
    json.dumps(SECRET),
    json.dumps({"a": json.dumps({"b": [json.dumps(SECRET)]})}),
    f"export X='{json.dumps(json.dumps(SECRET))}'",
    "https://user:canary%20%3Cone%3E%20%26%20%22two%22@host.example/",
    "q=canary+%3cone%3e+%26+%22two%22&r=1",
    b64encode(SECRET.encode()).decode(),
    urlsafe_b64encode(f"user:{SECRET}\xff".encode("latin-1")).decode().rstrip("="),
    "/path/" + b64encode(json.dumps({"password": SECRET}).encode()).decode(),
    json.dumps({"data": {"tls.key": b64encode(b64encode(SECRET.encode())).decode()}}),
]


@pytest.mark.parametrize("text", ENCODED)
def test_an_encoded_text_is_the_text(text: str) -> None:
    """A sensitive text is also found as JSON, percent-encoded, in base64, and in combinations of
    these; the text around it stays."""
    found = change(SECRET, True, checks=[f"before {text} after", text, {text: 1}, "open"])
    before, alone, named, rest = found["checks"]
    assert HIDDEN in before
    assert before.startswith("before ")
    assert before.endswith(" after")
    assert HIDDEN in alone
    assert rest == "open"
    kept = json.dumps([before, alone])
    assert not any(part in kept for part in ("canary", "Y2FuYXJ5", "two", "%3", 'tls.key\\": \\"W'))
    assert named is not None


def test_a_short_text_is_found_encoded_where_it_is_all_there_is() -> None:
    """A short sensitive text is found encoded only if the encoded text is a whole value."""
    found = change("a&", True, checks=["YSY=", "a%26", "xYSY=", '["a&"]'])
    assert found["checks"] == [HIDDEN, HIDDEN, "xYSY=", f'["{HIDDEN}"]']


def test_the_keys_of_a_sensitive_map_go_as_its_values_do() -> None:
    """The keys of a sensitive map are replaced, too, in its type, in the marks beside it and in
    addresses."""
    values = {"canary-key": "canary-value"}
    document = {
        "planned_values": {
            "outputs": {
                "o": {
                    "sensitive": True,
                    "type": ["object", {"canary-key": "string"}],
                    "value": values,
                },
                "open": {"sensitive": False, "type": ["map", "string"], "value": values},
            }
        },
        "resource_changes": [
            {
                "address": 'a.b["canary-key"]',
                "index": "canary-key",
                "change": {
                    "after": {"tags": values},
                    "after_unknown": {"tags": {"canary-key": True}},
                    "after_sensitive": {"tags": {"canary-key": True}},
                },
            }
        ],
    }
    found = hidden(json.dumps(document).encode())
    assert "canary" not in json.dumps(found)
    assert found["planned_values"]["outputs"]["open"]["type"] == ["map", "string"]
    (one,) = found["resource_changes"]
    assert one["change"]["after"] == {"tags": {HIDDEN: HIDDEN}}
    assert one["address"] == f'a.b["{HIDDEN}"]'


def test_names_that_become_the_same_are_numbered() -> None:
    """Members whose names become the same by redaction are numbered, so that none is lost."""
    values = {"canary-1": "x", "canary-2": "y", "n": 1}
    found = change(["canary-1", "canary-2"], True, relevant_attributes=[{"value": values}])
    assert found["relevant_attributes"] == [{"value": {HIDDEN: "x", f"{HIDDEN} 2": "y", "n": 1}}]


@pytest.mark.parametrize("mark", ["sensitive", "ephemeral"])
def test_marks_are_found_by_their_names(mark: str) -> None:
    """Marks are recognised by the names of their members, also in sections and members that are not
    known."""
    novel = {"config_values": {"a": "canary-a", "b": "open"}, f"config_{mark}": {"a": True}}
    document = {
        "deferred_action_invocations": [{"reason": "x", "action_invocation": novel}],
        "deferred_changes": [{"novel": {"x": ["canary-x"], f"x_{mark}": [True]}}],
        "action_invocations": [{"novel": {"values": "canary-v", f"{mark}_values": True}}],
        "checks": [{"value": "canary-value", mark: True}],
        "relevant_attributes": ["of canary-a, canary-x, canary-v and canary-value"],
    }
    found = hidden(json.dumps(document).encode())
    assert "canary" not in json.dumps(found)
    assert found["deferred_action_invocations"][0]["action_invocation"]["config_values"] == {
        "a": HIDDEN,
        "b": "open",
    }


def test_a_state_file_s_paths_lead_to_what_is_marked() -> None:
    """In a state file, the value at each path of `sensitive_attributes` is replaced. All attributes
    are if a path leads nowhere or the attributes are flat; `private` always is."""
    step = {"type": "get_attr", "value": "tags"}
    index = {"type": "index", "value": {"value": "k", "type": "string"}}
    instance = {
        "attributes": {"tags": {"k": "canary-k", "l": "open"}, "id": "open"},
        "sensitive_attributes": [[step, index]],
        "private": "canary-private",
    }
    flat = {"attributes_flat": {"a": "canary-flat"}, "sensitive_attributes": [[step]]}
    document = {"resources": [{"type": "t", "instances": [instance, flat]}]}
    found = hidden(json.dumps(document).encode())
    assert "canary" not in json.dumps(found)
    assert found["resources"][0]["instances"][0]["attributes"] == {
        "tags": {"k": HIDDEN, "l": "open"},
        "id": "open",
    }
    assert found["resources"][0]["instances"][0]["sensitive_attributes"] == [[step, index]]


def test_a_resource_s_identity_holds_values() -> None:
    """The names in an `identity` are the provider's: none of its values is a word of the format."""
    resource = {
        "type": "x_y",
        "values": {"p": "canary"},
        "sensitive_values": {"p": True},
        "identity": {"kind": "canary", "version": "canary", "x": "open"},
    }
    document = {"planned_values": {"root_module": {"resources": [resource]}}}
    found = hidden(json.dumps(document).encode())
    (shown,) = found["planned_values"]["root_module"]["resources"]
    assert shown["identity"] == {"kind": HIDDEN, "version": HIDDEN, "x": "open"}


FRAME = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "serial": 12345,
    "planned_values": {
        "root_module": {
            "resources": [
                {
                    "mode": "managed",
                    "type": "terraform_data",
                    "values": {"name": "open"},
                    "sensitive_values": {},
                }
            ]
        }
    },
    "resource_changes": [
        {
            "mode": "managed",
            "type": "terraform_data",
            "action_reason": "replace_by_request",
            "change": {
                "actions": ["create"],
                "before": None,
                "after": {"name": "open"},
                "after_unknown": {"name": True},
            },
        }
    ],
    "outputs": {"plan": {"type": ["object", {"name": "string"}], "value": {}}},
}
OWN = ["plan", "planned", "managed", "terraform_data", "create", "name", "replace", "value"]
OWN += ["actions", "root_module", "resources", "1.11.4", "1.2", "after"]


@pytest.mark.parametrize("secret", [*OWN, 12345])
def test_the_frame_is_the_document_s_own(secret: str | int) -> None:
    """Whatever text is sensitive, the document's member names, its fixed words and a schema's
    attribute names are not replaced."""
    mark = {"output_changes": {"o": {"after": secret, "after_sensitive": True}}}
    found = hidden(json.dumps({**FRAME, **mark}).encode())
    assert found["output_changes"] == {"o": {"after": HIDDEN, "after_sensitive": True}}
    types = found["outputs"]["plan"]["type"]
    assert types == ["object", {HIDDEN if secret == "name" else "name": "string"}]
    found["outputs"]["plan"]["type"] = FRAME["outputs"]["plan"]["type"]  # type: ignore[index]
    assert {n: v for n, v in found.items() if n in FRAME} == FRAME


def call(expression: Any, module: Any) -> Any:
    """A module that passes this expression to `given` of the module `m`."""
    return {"module_calls": {"m": {"expressions": {"given": expression}, "module": module}}}


SENSITIVE = {"variables": {"given": {"sensitive": True}}}
PASSED = {"references": ["var.given.a", "var.given"]}


@pytest.mark.parametrize(
    "inner",
    [SENSITIVE, {"variables": {"given": {"ephemeral": True}}}, call(PASSED, SENSITIVE)],
)
def test_what_a_module_takes_as_sensitive_is(inner: Any) -> None:
    """If a module declares an input as sensitive, the root variable passed to it is, with its
    default, and so is a constant; also through another module."""
    root = call(PASSED, inner)
    root["variables"] = {"given": {"default": "canary-default"}, "open": {"default": "open"}}
    root["module_calls"]["n"] = {
        "expressions": {"given": {"constant_value": "canary-constant"}, "b": {}},
        "module": inner,
    }
    document = {
        "variables": {"given": {"value": "canary-given"}, "open": {"value": "open"}},
        "checks": ["canary-default", "canary-constant", "canary-given", "open"],
        "configuration": {"root_module": root},
    }
    assert hidden(json.dumps(document).encode())["checks"] == [HIDDEN, HIDDEN, HIDDEN, "open"]


@pytest.mark.exhaustive
def test_many_texts_that_begin_alike_are_found() -> None:
    """20,000 sensitive texts with the same beginning are found in a text that holds them all, also
    encoded; a text that only has their beginning stays."""
    alike = [f"canary-that-begins-as-all-of-them-do-{number}" for number in range(20_000)]
    near = "canary-that-begins-as-all-of-them-do " * 2_000
    encoded = b64encode(" ".join(alike).encode()).decode()
    found = change(alike, True, checks=[" ".join(alike), near, encoded])
    everything, nearly, hidden_too = found["checks"]
    assert set(everything.split(HIDDEN)) == {"", " "}
    assert nearly == near
    assert hidden_too == HIDDEN


def test_texts_that_overlap_go_together() -> None:
    """Where two sensitive texts overlap, both are replaced as a whole."""
    found = change(
        ["canary-one-two", "two-canary-three"], True, checks=["canary-one-two-canary-three"]
    )
    assert found["checks"] == [HIDDEN]


@pytest.mark.parametrize("text", [b"", b"{", b'{"a": 1} x', b'{"variables": nonsense}', b"[NaN]"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    """A document that is no JSON is refused as a whole."""
    with pytest.raises(UnreadableDocument):
        hidden(text)


def test_infracost_gets_references_and_regions() -> None:
    """Of the configuration, Infracost only gets references and the providers' regions, without
    which it would use another region's prices."""
    provider = {
        "name": "aws",
        "alias": "eu",
        "expressions": {
            "region": {"references": ["var.region"]},
            "secret_key": {"constant_value": "canary"},
        },
    }
    west = {"name": "aws", "expressions": {"region": {"constant_value": "us-west-2"}}}
    resource = {
        "address": "a.b",
        "expressions": {
            "x": {"constant_value": "canary"},
            "block": [{"y": {"references": ["a.c"]}, "z": {"constant_value": "canary"}}],
        },
        "provisioners": ["canary"],
    }
    module = {
        "resources": [resource],
        "module_calls": {"m": {"source": "canary", "module": {"resources": [resource]}}},
        "variables": {"region": {"default": "canary"}},
    }
    document = {
        "variables": {"region": {"value": "eu-central-1"}, "x": {"value": "canary"}},
        "configuration": {"provider_config": {"aws": provider, "w": west}, "root_module": module},
    }
    found = hidden(json.dumps(document).encode(), PRICED)
    kept = {
        "address": "a.b",
        "expressions": {"x": {}, "block": [{"y": {"references": ["a.c"]}, "z": {}}]},
    }
    assert found == {
        "configuration": {
            "provider_config": {
                "aws": {
                    "name": "aws",
                    "alias": "eu",
                    "expressions": {"region": {"constant_value": "eu-central-1"}},
                },
                "w": west,
            },
            "root_module": {
                "resources": [kept],
                "module_calls": {
                    "m": {"expressions": None, "module": {"resources": [kept], "module_calls": {}}}
                },
            },
        }
    }
