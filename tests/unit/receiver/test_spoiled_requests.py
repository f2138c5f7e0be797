"""The receiver answers any request as the contract allows: with success or with one of its
errors."""

from __future__ import annotations

import json
import random

import pytest
from support.fuzzing import Examples
from support.spoiled_documents import reshape_json, spoil_bytes
from support.spoiled_text import spoil_text

from tfevents.receiver.contract import (
    ContractError,
    Request,
    parse_activity_query,
    parse_artifact,
    parse_event,
    parse_place,
)

PATHS = [
    "/gateway/iacm/api/orgs/o/projects/p/workspaces/w%20x/events",
    "/api/orgs/o/projects/p/workspaces/w/data",
    "/iacm/api/orgs/o/projects/p/activities",
]
QUERIES = [
    "data_type=state_raw&provisioner_type=tf&pipeline_id=a&stage_id=b"
    "&pipeline_execution_id=c&pipeline_stage_id=d",
    "limit=10&page=2&workspace=w&start_time=-1&end_time=1764400000000",
]
HEADERS = {
    "x-api-key": "CANARY",
    "harness-account": "acct",
    "content-type": "application/json; charset=utf-8",
    "content-length": "200",
}
EVENT = json.dumps(
    {
        "event_type": "apply_needed",
        "metadata": {
            "activity_type": "plan",
            "activity_status": "success",
            "resource_counts": {"added": 1, "changed": 0, "deleted": 0},
            "trigger": {"actor": "a", "type": "push", "url": "https://h.example/1"},
            "git_commit_sha": "0" * 40,
        },
        "data": {"event_id": "x", "any": [1, {"b": None}]},
    }
)


def make_request(dice: random.Random) -> Request:
    """A valid request with up to two changed parts."""
    path, query = dice.choice(PATHS), dice.choice(QUERIES)
    headers, method = dict(HEADERS), "GET" if path.endswith("activities") else "POST"
    for part in dice.choices(("path", "query", "headers", "method", "none"), k=2):
        if part == "path":
            path = spoil_text(path, dice)
        elif part == "query":
            query = spoil_text(query, dice)
        elif part == "method":
            method = dice.choice(("PUT", "", "post", method, method, method))
        elif part == "headers":
            name = dice.choice([*headers])
            headers[name] = spoil_text(headers[name], dice)
    return Request(method, path, query, headers)


def make_body(dice: random.Random) -> bytes:
    """A valid event, most often with random changes."""
    if dice.random() < 0.2:
        return EVENT.encode()
    return reshape_json(EVENT, dice) if dice.random() < 0.6 else spoil_bytes(EVENT.encode(), dice)


def read(request: Request, body: bytes) -> object:
    """What the receiver parses from a request."""
    place = parse_place(request)
    if place.kind == "events":
        return parse_event(request, body)
    return parse_artifact(request) if place.kind == "data" else parse_activity_query(request)


@pytest.mark.fuzz("the receiver's requests", 1000)
def test_a_request_is_taken_or_answered(examples: Examples) -> None:
    """A spoiled request is accepted, or refused with a status of 4xx and a bounded message without
    the API key."""
    taken = 0
    for dice in examples:
        try:
            read(make_request(dice), make_body(dice))
            taken += 1
        except ContractError as error:
            assert 400 <= error.status < 500
            assert len(error.message) <= 4096
            assert "CANARY" not in error.message
            json.dumps(error.message).encode()
    examples.check_both(taken)
