"""`tfevents receive` against random requests that are built on the contract, valid and invalid.

Skipped where schemathesis is not installed. TFEVENTS_TEST_FUZZ sets how many are tried of each
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
"""Answers that are real, though no document of the service has them."""
NOT_VARIED = ("Content-Length",)
"""A wrong one is no request: HTTP itself refuses it."""


def read_contract() -> dict[str, Any]:
    """Its two paths, and the list of activities.

    The errors and what a path holds stand at the first one, and hold for the second, too. goa takes
    an empty parameter of a query for one that is missing, which its document has no words for. The
    key is the caller's.
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
    with Receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@contract.parametrize()
@hypothesis.settings(max_examples=ROUNDS, database=None)
def test_no_answer_differs_from_the_contract(case: Any, receiver: Receiver) -> None:
    """What fits is taken and what does not is refused, with the documented status, envelope and
    headers; nothing is a fault of the server."""
    case.call_and_validate(base_url=receiver.url, headers={"x-api-key": KEY})
