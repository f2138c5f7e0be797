"""A matrix in two minutes: a few of its cases stand for all of them, which `.ci/run` runs too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def exhaustive_except(params: Iterable[Any], *kept: Any) -> list[Any]:
    """Parameters of which all but the kept ones are exhaustive."""
    every = list(params)
    assert [one for one in kept if one not in every] == []
    return [one if one in kept else _mark(one) for one in every]


def _mark(param: Any) -> Any:
    values = param if isinstance(param, tuple) else (param,)
    return pytest.param(*values, marks=pytest.mark.exhaustive)
