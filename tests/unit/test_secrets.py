"""No record shows an environment or a key: both hold secrets, and a repr may end in a log."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from msgspec import Struct

import tfevents

SECRET = {"env", "secret"}


def find_classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(tfevents.__path__, "tfevents."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name:
                yield found


def shows_all(record: type) -> bool:
    """Whether its repr is made of every field."""
    if issubclass(record, Struct):
        return record.__repr__ is Struct.__repr__
    return any(field.repr for field in dataclasses.fields(record) if field.name in SECRET)


RECORDS = [
    found
    for found in find_classes()
    if (issubclass(found, Struct) and SECRET & set(found.__struct_fields__))
    or (dataclasses.is_dataclass(found) and SECRET & {f.name for f in dataclasses.fields(found)})
]


def test_there_are_such_records() -> None:
    assert len(RECORDS) > 5


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_record_does_not_show_its_secrets(record: type) -> None:
    assert not shows_all(record)
