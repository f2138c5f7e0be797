"""The orders that a run writes to its sender process are read back unchanged."""

from __future__ import annotations

import pytest

from tfevents.delivery.sender_process import Order, SenderConfig, encode_order, parse_order
from tfevents.journal.models import Destination

WHERE = Destination("acct", "default", "infra", "prod")


@pytest.mark.parametrize("path", ["/home/me", "/\udcff/caf\xe9", '/a\nb\t"c\\'])
def test_a_path_comes_as_it_is(path: str) -> None:
    """An order is one line of JSON, also with a path that is not UTF-8 or contains a line end."""
    config = SenderConfig(path, WHERE, path, "default", "https://h.example", "/api", "k", path)
    line = encode_order(config)
    assert line.count(b"\n") == 1
    assert parse_order(line, SenderConfig) == config


@pytest.mark.parametrize("order", [Order(), Order(1.5)])
def test_an_order_comes_as_it_is(order: Order) -> None:
    assert parse_order(encode_order(order), Order) == order
