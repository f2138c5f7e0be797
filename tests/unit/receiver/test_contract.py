"""The receiver accepts and refuses the same requests as the tests' own endpoint, which was written
independently and first."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import fastjsonschema
import pytest
from support.contract import Incoming, Refusal, Rules, judge

from tfevents.events.schema import find_mismatches, metadata_fields
from tfevents.receiver.contract import (
    LARGEST_EVENT,
    ActivityQuery,
    ContractError,
    Request,
    parse_activity_query,
    parse_artifact,
    parse_event,
    parse_place,
    validate_event,
)

HEADERS = {
    "x-api-key": "pat.acct.token.secret",
    "harness-account": "acct",
    "content-type": "application/json",
}
PLACE = "/iacm/api/orgs/default/projects/infra/workspaces/prod/"
COUNTS = {"added": 1, "changed": 0, "deleted": 0, "unchanged": 2}
QUERY = (
    "pipeline_id=p&stage_id=s&pipeline_execution_id=e&pipeline_stage_id=x"
    "&provisioner_type=tf&data_type=plan_human"
)


def ask(target: str, body: bytes = b"", method: str = "POST", **headers: str | None) -> str:
    """The receiver's answer: "200", or the error's status and name."""
    path, _, query = target.partition("?")
    request = Request(method, path, query, merge(headers))
    try:
        place = parse_place(request)
        if place.kind == "data":
            parse_artifact(request)
        else:
            parse_event(request, body)
    except ContractError as error:
        return f"{error.status} {error.name}"
    return "200"


def ask_oracle(target: str, body: bytes = b"", method: str = "POST", **headers: str | None) -> str:
    """The answer of the tests' own endpoint, in the same form."""
    try:
        judge(Rules(), Incoming(method, target, merge(headers), body))
    except Refusal as refusal:
        return f"{refusal.status} {refusal.name}"
    return "200"


def merge(headers: dict[str, str | None]) -> dict[str, str]:
    """The headers of a valid request with these changes; None removes a header."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return {name: text for name, text in {**HEADERS, **named}.items() if text is not None}


def event(**members: Any) -> bytes:
    return json.dumps({"event_type": "active", **members}).encode()


BODIES = {
    "least": event(),
    "all": event(data={"a": "b"}, metadata={"resource_counts": COUNTS, "trigger": {"a": [1]}}),
    "deprecated": event(pipeline_execution_id="e", pipeline_stage_id="s"),
    "int64": event(metadata={"PlannedChangesCount": -(2**63)}),
    "empty": b"",
    "blank": b" \n",
    "cut": b'{"event_type": "act',
    "two values": event() + b"{}",
    "not UTF-8": b'{"event_type": "active", "data": {"a": "\xff"}}',
    "no object": b'["active"]',
    "constant": b'{"event_type": "active", "metadata": {"trigger": {"a": NaN}}}',
    "twice": b'{"event_type": "active", "event_type": "plan"}',
    "deep": b"[" * 100_000,
    "no type": b"{}",
    "null type": event(event_type=None),
    "unknown type": event(event_type="applied"),
    "number as type": event(event_type=1),
    "number in data": event(data={"a": 1}),
    "list as data": event(data=[]),
    "null metadata": event(metadata=None),
    "unknown activity": event(metadata={"activity_type": "refresh"}),
    "unknown status": event(metadata={"activity_status": "ok"}),
    "number as cost": event(metadata={"cost_total_monthly": 1.5}),
    "missing count": event(metadata={"resource_counts": {"added": 1}}),
    "float count": event(metadata={"drift_counts": {**COUNTS, "added": 1.0}}),
    "boolean count": event(metadata={"drift_counts": {**COUNTS, "added": True}}),
    "list as trigger": event(metadata={"trigger": []}),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str) -> None:
    """The receiver and the tests' endpoint give the same answer for every body."""
    assert ask(PLACE + "events", BODIES[name]) == ask_oracle(PLACE + "events", BODIES[name])


@pytest.mark.parametrize("large", [2**63, -(2**63) - 1, 10**30])
def test_counts_beyond_int64(large: int) -> None:
    """A count that does not fit into 64 bits is refused as `bad_request` by the receiver and by the
    tests' endpoint."""
    body = event(metadata={"PlannedChangesCount": large})
    assert ask(PLACE + "events", body) == ask_oracle(PLACE + "events", body) == "400 bad_request"


@pytest.mark.parametrize(
    ("target", "method", "headers"),
    [
        (PLACE + "events", "POST", {}),
        (PLACE + "events/", "POST", {}),
        (PLACE + "nothing", "POST", {}),
        (PLACE + "events", "GET", {}),
        (PLACE + "events", "PUT", {}),
        (PLACE.replace("prod", quote("a/b ü", safe="")) + "events", "POST", {}),
        (PLACE.replace("prod", "%0A") + "events", "POST", {}),
        (PLACE.replace("prod", "%FF") + "events", "POST", {}),
        (PLACE.replace("prod", "") + "events", "POST", {}),
        (PLACE.replace("prod", "w" * 1024) + "events", "POST", {}),
        (PLACE.replace("prod", "w" * 1025) + "events", "POST", {}),
        (PLACE.replace("default", "o" * 129) + "events", "POST", {}),
        (PLACE.replace("infra", "p" * 129) + "events", "POST", {}),
        (PLACE + "events", "POST", {"x_api_key": None}),
        (PLACE + "events", "POST", {"x_api_key": ""}),
        (PLACE + "events", "POST", {"harness_account": ""}),
        (PLACE + "events", "POST", {"harness_account": "a" * 129}),
        (PLACE + "events", "POST", {"content_type": None}),
        (PLACE + "events", "POST", {"content_type": "text/plain"}),
        (PLACE + "events", "POST", {"content_type": "Application/JSON; charset=utf-8"}),
        (PLACE + "events", "POST", {"content_length": str(LARGEST_EVENT)}),
        (PLACE + "events", "POST", {"content_length": str(LARGEST_EVENT + 1)}),
        (PLACE + "data?" + QUERY, "POST", {}),
        (PLACE + "data?" + QUERY, "GET", {}),
        (PLACE + "data", "POST", {}),
        (PLACE + "data?" + QUERY.replace("=tf", "=pulumi"), "POST", {}),
        (PLACE + "data?" + QUERY.replace("plan_human", "plan"), "POST", {}),
        (PLACE + "data?" + QUERY.replace("stage_id=s", "stage_id="), "POST", {}),
    ],
)
def test_paths_and_headers(target: str, method: str, headers: dict[str, str | None]) -> None:
    """The receiver and the tests' endpoint give the same answer for every path, method and
    header."""
    given: tuple[str, bytes, str] = (target, event(), method)
    assert ask(*given, **headers) == ask_oracle(*given, **headers)


def test_a_missing_account_has_its_own_name() -> None:
    """A missing account header is `missing_field`, as in goa; the tests' endpoint does not
    distinguish a missing header from an empty one."""
    assert ask(PLACE + "events", event(), harness_account=None) == "400 missing_field"


@pytest.mark.parametrize(
    "metadata", [{"stacks": []}, {"activity_type": "rollback"}, {"activity_status": "incomplete"}]
)
def test_what_newer_servers_know_is_taken(metadata: dict[str, Any]) -> None:
    """Fields and values that only newer servers know are accepted, and unknown fields are
    ignored."""
    assert ask(PLACE + "events", event(metadata=metadata, nobody={"knows": None})) == "200"


@pytest.mark.parametrize("prefix", ["/api", "/gateway/iacm/api"])
def test_the_other_prefixes(prefix: str) -> None:
    """The paths of an IaCM step's service endpoint (`/api`) and of the gateway
    (`/gateway/iacm/api`) are accepted."""
    assert ask(PLACE.replace("/iacm/api", prefix) + "events", event()) == "200"


def test_a_nul_is_no_workspace() -> None:
    """A workspace with a NUL is not found: PostgreSQL can't store one."""
    assert ask(PLACE.replace("prod", "a%00") + "events", event()) == "404 not_found"


def test_no_body_is_what_is_missing_first() -> None:
    """A request without a body is `missing_payload`, whatever its content type: the contract has no
    status 415."""
    for media in (None, "text/plain", "application/json"):
        assert ask(PLACE + "events", b" ", content_type=media) == "400 missing_payload"


def test_an_artifact_may_name_any_text() -> None:
    """An artifact's parameters may contain a NUL, which a database can't store, because none of
    them is stored."""
    assert ask(PLACE + "data?" + QUERY.replace("stage_id=s", "stage_id=%00")) == "200"


def test_a_number_that_no_float_holds() -> None:
    """A number too large for a float is refused: Python reads it as infinity, which is not JSON."""
    assert ask(PLACE + "events", event()[:-1] + b', "more": 1e999}') == "400 decode_payload"


def test_every_fault_is_named_and_no_value() -> None:
    """The message names all faults, joined by "; ", and no value; the error's name is that of the
    first fault."""
    body = event(event_type="s3cr3t", metadata={"git_branch": 7, "resource_counts": {}})
    with pytest.raises(ContractError) as caught:
        parse_event(Request("POST", "", "", HEADERS), body)
    assert caught.value.name == "invalid_enum_value"
    parts = caught.value.message.split("; ")
    assert [part.partition(" must")[0] for part in parts[:2]] == [
        "value of body.event_type",
        "body.metadata.git_branch",
    ]
    assert parts[2:] == [
        f'"{name}" is missing from body.metadata.resource_counts' for name in COUNTS
    ]
    assert "s3cr3t" not in caught.value.message


def ask_for_activities(query: str) -> ActivityQuery:
    """The activities that a request with this query asks for."""
    request = Request("GET", "/iacm/api/orgs/o/projects/p/activities", query, HEADERS)
    assert parse_place(request).kind == "activities"
    return parse_activity_query(request)


def test_which_activities() -> None:
    """A list of activities has the public API's parameters and defaults; an empty parameter counts
    as missing."""
    assert ask_for_activities("workspace=&limit=") == ActivityQuery()
    query = "workspace=prod&activity_status=failure&limit=1000&page=2&start_time=1&end_time=9"
    filters = {"workspace": "prod", "activity_status": "failure"}
    assert ask_for_activities(query) == ActivityQuery(1000, 2, filters, 1, 9)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "invalid_range"),
        ("limit=1001", "invalid_range"),
        ("page=0", "invalid_range"),
        ("page=many", "invalid_field_type"),
        ("start_time=" + "9" * 19, "invalid_range"),
        ("workspace=%FF", "bad_request"),
        ("workspace=%00", "bad_request"),
        ("a&" * 200, "bad_request"),
    ],
)
def test_activities_that_nobody_can_ask_for(query: str, name: str) -> None:
    """An invalid query for activities is answered with status 400 and the right name."""
    with pytest.raises(ContractError) as caught:
        ask_for_activities(query)
    assert (caught.value.status, caught.value.name) == (400, name)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, -1, 1.0, 1.5, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 1e30),
        *("", "x", "plan", "apply", "success", [], ["x"], {}, {"a": 1}, {"a": "b"}),
        *({**COUNTS, "unchanged": n} for n in (2, 2.0, True, 2**63, "2")),
    ],
    ids=str,
)
def test_the_fast_check_takes_what_the_schema_takes(value: Any) -> None:
    """For any value in any field, the compiled schema accepts a body exactly if `find_mismatches`
    finds no mismatch."""
    inner = [{"metadata": {name: value}} for name in metadata_fields()]
    outer = [{name: value} for name in ("event_type", "data", "metadata", "unknown")]
    for fields in (*inner, *outer, {"data": {"k": value}}, {"pipeline_stage_id": value}):
        body = {"event_type": "plan", **fields}
        try:
            validate_event(body)
            fits = True
        except fastjsonschema.JsonSchemaValueException:
            fits = False
        assert fits == (not [*find_mismatches(body)]), body
