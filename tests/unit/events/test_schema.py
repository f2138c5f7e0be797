"""The packaged schema accepts and refuses the same bodies as the contract's own."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from support.contract import Refusal, decode
from support.paths import DATA

from tfevents.errors import InvalidEvent
from tfevents.events.schema import MOST_MISMATCHES, check_event, find_mismatches, load_schema

CONTRACT = DATA / "contract" / "openapi.yaml"
COUNTS = {"added": 1, "changed": 0, "deleted": 2, "imported": 0, "removed": 3, "unchanged": 4}
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1e3, 1.5, "", "1", "plan", "Plan", "success", "apply"),
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400, [], [1], ["plan"], {}, {"a": 1}),
    *({"a": "b"}, {"added": 1}, {**COUNTS}, {**COUNTS, "added": "1"}, {**COUNTS, "more": 1}),
]


def whole() -> dict[str, Any]:
    """A valid body with every field of the contract."""
    texts = {
        name: "text"
        for name, kind in load_schema()["$defs"]["ActivityMetadata"]["properties"].items()
        if kind.get("type") == "string"
    }
    return {
        "event_type": "active",
        "data": {"a": "b", "c": ""},
        "pipeline_execution_id": "x",
        "pipeline_stage_id": "y",
        "metadata": {
            **texts,
            "activity_type": "apply",
            "activity_status": "failure",
            "resource_counts": {**COUNTS},
            "output_counts": {**COUNTS},
            "drift_counts": {**COUNTS},
            "PlannedChangesCount": 3,
            "enable_solutions_factory": True,
            "trigger": {"any": [1, 1.5, None]},
        },
    }


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every value in a body, the body itself first."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))


def changed(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of the body with this value at the path."""
    if not path:
        return value
    body = copy.deepcopy(body)
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return body


def without(body: Any, path: tuple[str, ...]) -> Any:
    """A copy of the body without the member at the path."""
    body = copy.deepcopy(body)
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return body


def bodies() -> Iterator[Any]:
    """A valid body with one change at every place, then with several random changes."""
    base = whole()
    yield from ODD
    yield base
    yield {"event_type": "plan"}
    for path in places(base):
        if path:
            yield without(base, path)
        for value in ODD:
            yield changed(base, path, value)
            yield changed(base, (*path, "unheard_of"), value) if path in ((), ("metadata",)) else {}
    draw = random.Random(3)
    for _ in range(600):
        body = base
        for path in draw.sample([p for p in places(base) if len(p) > 1], 3):
            for _ in range(draw.randrange(2)):
                try:
                    body = changed(body, path, draw.choice(ODD))
                except (KeyError, TypeError):
                    break  # an earlier change removed this place
        yield body


@pytest.fixture(scope="module")
def contract() -> jsonschema.protocols.Validator:
    """A validator for the contract's events: OpenAPI 3.0 builds on draft 4, in which 1.0 is no
    integer."""
    schemas = yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]
    formats = jsonschema.FormatChecker(formats=())

    @formats.checks("int64")
    def fits(value: object) -> bool:
        return not isinstance(value, int) or -(2**63) <= value < 2**63

    top = {"$ref": "#/components/schemas/SendEventRequest", "components": {"schemas": schemas}}
    return jsonschema.Draft4Validator(top, format_checker=formats)


def taken(body: Any) -> bool:
    """Whether our check accepts the body."""
    try:
        check_event(body)
    except InvalidEvent:
        return False
    return True


@pytest.mark.exhaustive
def test_the_packaged_schema_takes_and_refuses_what_the_contract_does(
    contract: jsonschema.protocols.Validator,
) -> None:
    """For thousands of bodies, our check gives the same result as the contract's schema."""
    verdicts = [0, 0]
    for body in bodies():
        said = contract.is_valid(body)
        assert taken(body) is said, body
        verdicts[said] += 1
    assert min(verdicts) > 400


def test_the_packaged_schema_agrees_with_a_server_in_go() -> None:
    """Our check accepts a body exactly if the tests' endpoint decodes its bytes. Bodies with null
    are left out: Go skips null, and we never send it."""
    for body in bodies():
        text = json.dumps(body)
        if "null" in text:
            continue
        try:
            decode(text.encode(), strict=False)
            served = True
        except Refusal:
            served = False
        assert taken(body) is served, body


@pytest.mark.parametrize("dialect", ["its own", "the contract's"])
def test_the_packaged_schema_says_itself_that_a_float_is_no_count(dialect: str) -> None:
    """The schema file alone refuses 1.0 as a count, with the validator that it names and with the
    contract's."""
    kind = jsonschema.validators.validator_for(load_schema())
    if dialect == "the contract's":
        kind = jsonschema.Draft4Validator
    kind.check_schema(load_schema())
    body = {"event_type": "plan", "metadata": {"PlannedChangesCount": 1.0}}
    assert not kind(load_schema()).is_valid(body)


def test_the_fields_are_those_of_the_contract() -> None:
    """The packaged schema has exactly the fields of the contract's version 1.0, and the same
    required ones."""
    schemas = yaml.safe_load(CONTRACT.read_text())["components"]["schemas"]
    ours = load_schema()
    for name, mine in (
        ("SendEventRequest", ours),
        ("ActivityMetadata", ours["$defs"]["ActivityMetadata"]),
        ("Counts", ours["$defs"]["Counts"]),
    ):
        assert set(mine["properties"]) == set(schemas[name]["properties"])
        assert mine.get("required", []) == schemas[name].get("required", [])


def test_a_refusal_names_the_field_and_not_its_value() -> None:
    """The error names the field but not its value, which may be a secret, because the message is
    printed."""
    body = {"event_type": "plan", "metadata": {"git_branch": ["canary"]}}
    with pytest.raises(InvalidEvent, match=r"^metadata\.git_branch does not fit .*\(type\)$"):
        check_event(body)


def test_a_body_with_many_mismatches_is_not_described_in_full() -> None:
    """Of an event with very many invalid members only some are looked at, since describing all of
    them would block a relay for seconds."""
    body = {"event_type": "plan", "data": {str(number): 1 for number in range(2000)}}
    assert len([*find_mismatches(body)]) == MOST_MISMATCHES
