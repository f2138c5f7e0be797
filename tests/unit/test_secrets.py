"""The repr of a record shows neither an environment nor a key, because it may end in a log."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import tfevents

SECRET = {"env", "secret"}


def find_classes() -> Iterator[type]:
    """All classes that tfevents' modules define."""
    for module in pkgutil.walk_packages(tfevents.__path__, "tfevents."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name:
                yield found


RECORDS = [
    found
    for found in find_classes()
    if SECRET & {*getattr(found, "__struct_fields__", ()), *getattr(found, "_fields", ())}
]


def test_there_are_such_records() -> None:
    assert len(RECORDS) > 5


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_does_not_show_its_secrets(record: type) -> None:
    """A class with a field `env` or `secret` has a `__repr__` that its own module defines."""
    assert getattr(record.__repr__, "__module__", "") == record.__module__
