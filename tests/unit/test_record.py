"""Our dataclasses are the standard library's, as far as they are used here."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import pytest

from tfevents import record


def made(by: ModuleType, **how: bool) -> Any:
    class Example:
        first: str
        second: int = 2
        third: list[int] = by.field(default_factory=list, repr=False)

    return by.dataclass(**how)(Example)


FORMS: list[dict[str, bool]] = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
]


@pytest.fixture(params=FORMS, ids=str)
def both(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    return made(record, **request.param), made(dataclasses, **request.param)


@pytest.mark.parametrize("given", [("a",), ("a", 3), ("a", 3, [4])])
def test_members_by_place_and_by_name(both: tuple[Any, Any], given: tuple[Any, ...]) -> None:
    ours, theirs = both
    named = dict(zip(("first", "second", "third"), given, strict=False))
    assert ours(*given) == ours(**named)
    assert repr(ours(*given)) == repr(theirs(*given))
    assert record.asdict(ours(*given)) == dataclasses.asdict(theirs(*given))
    assert record.replace(ours(*given), second=7).second == 7
    assert ours.__match_args__ == theirs.__match_args__


def test_what_is_missing_or_too_much_is_an_error(both: tuple[Any, Any]) -> None:
    for kind in both:
        for given in ((), (1, 2, 3, 4)):
            with pytest.raises(TypeError):
                kind(*given)


def test_a_default_is_made_for_each(both: tuple[Any, Any]) -> None:
    ours, _ = both
    assert ours("a").third is not ours("a").third


def test_others_are_not_equal(both: tuple[Any, Any]) -> None:
    ours, theirs = both
    assert ours("a") != ours("b")
    assert ours("a") != theirs("a")


@pytest.mark.parametrize("how", FORMS, ids=str)
def test_what_is_frozen_stays_and_can_be_hashed(how: dict[str, bool]) -> None:
    one = made(record, **how)("a", 1, ())
    if how.get("frozen"):
        assert hash(one) == hash(made(record, **how)("a", 1, ()))
        with pytest.raises(AttributeError):
            one.first = "b"
        with pytest.raises(AttributeError):
            del one.first
    else:
        one.first = "b"
        assert one.first == "b"
        with pytest.raises(TypeError):
            hash(one)
    assert hasattr(one, "__dict__") is not how.get("slots", False)
