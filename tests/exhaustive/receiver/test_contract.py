"""`tfevents receive` against random valid and invalid requests that are generated from the
contract.

Skipped if schemathesis is not installed. TFEVENTS_TEST_FUZZ sets the number of requests for each
operation, besides those that schemathesis derives from each rule of the contract.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from support.contract import CONTRACT
from support.receiver import KEY, Receiver

schemathesis = pytest.importorskip("schemathesis")
hypothesis = pytest.importorskip("hypothesis")

ROUNDS = int(os.environ.get("TFEVENTS_TEST_FUZZ", "2000")) // 10
BEFORE_THE_SERVICE = ("413", "415")
"""Statuses that occur although the service's documents lack them."""
NOT_VARIED = ("Content-Length",)
"""Parameters that are not varied: a request with a wrong Content-Length is refused by HTTP
itself."""


def read_contract() -> dict[str, Any]:
    """The contract as OpenAPI: its two paths and the list of activities.

    Errors and path parameters are written at the first operation only, and hold for the others,
    too. goa treats an empty query parameter as missing, which its document can't express, so a
    minimum length is added. The API key is left to the caller.
    """
    document: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
    document["paths"] |= yaml.safe_load(CONTRACT.with_name("activities.yaml").read_text())
    del document["security"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    events, data, _ = operations
    data["parameters"] += [one for one in events["parameters"] if one["in"] == "path"]
    errors = dict(events["responses"])
    errors |= dict.fromkeys(BEFORE_THE_SERVICE, errors["400"])
    for operation in operations:
        operation["responses"] = {**errors, **operation["responses"]}
        given = operation["parameters"]
        operation["parameters"] = [one for one in given if one["name"] not in NOT_VARIED]
        for one in operation["parameters"]:
            if one["in"] == "query" and one.get("required"):
                one["schema"]["minLength"] = 1
    return document


contract = schemathesis.openapi.from_dict(read_contract())


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A running receiver."""
    with Receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@contract.parametrize()
@hypothesis.settings(max_examples=ROUNDS, database=None)
def test_no_answer_differs_from_the_contract(case: Any, receiver: Receiver) -> None:
    """A request that fits the contract is accepted and any other is refused, with the documented
    status, envelope and headers, and without a server error."""
    case.call_and_validate(base_url=receiver.url, headers={"x-api-key": KEY})
