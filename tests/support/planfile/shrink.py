"""Shrinks a case that fails to the smallest one that still does, which shows what matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from support.planfile.estate import Configuration, Estate, Resource

T = TypeVar("T")
TRIES = 300
"""Attempts at most: a plan takes a quarter of a second to make and to show."""


def shrink(case: Estate, fails: Callable[[Estate], bool]) -> Estate:
    """Removes one thing after the other from a case, as long as it still `fails`."""
    tried, found = 0, True
    while found and tried < TRIES:
        found = False
        for candidate in smaller(case):
            tried += 1
            if fails(candidate):
                case, found = candidate, True
                break
            if tried == TRIES:
                break
    return case


def smaller(case: Estate) -> Iterator[Estate]:
    """Every case with one thing less, the largest things first."""
    if case.before is not None:
        yield replace(case, before=None, edits=())
    for flags in _without_one(case.flags):
        yield replace(case, flags=flags)
    for edits in _without_one(case.edits):
        yield replace(case, edits=edits)
    for after in _smaller(case.after):
        yield replace(case, after=after)
    for before in _smaller(case.before) if case.before else ():
        yield replace(case, before=before)


def _without_one(items: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    for at in range(len(items)):
        yield items[:at] + items[at + 1 :]


def _smaller(found: Configuration) -> Iterator[Configuration]:
    for calls in _without_one(found.calls):
        yield replace(found, calls=calls)
    for others in _without_one(found.others):
        yield replace(found, others=others)
    for resources in _without_one(found.resources):
        yield replace(found, resources=resources)
    for outputs in _without_one(found.outputs):
        yield replace(found, outputs=outputs)
    for at, resource in enumerate(found.resources):
        for plainer in _plainer(resource):
            kept = (*found.resources[:at], plainer, *found.resources[at + 1 :])
            yield replace(found, resources=kept)


def _plainer(resource: Resource) -> Iterator[Resource]:
    """The resource with one of its arguments set to the default, in turn."""
    plain = Resource(resource.name)
    for name in ("lifecycle", "repeated", "reference", "triggers", "value", "sensitive"):
        if getattr(resource, name) != getattr(plain, name):
            yield replace(resource, **{name: getattr(plain, name)})
