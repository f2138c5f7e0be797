"""Keeps a matrix of tests short: by default a few of its cases run; `.ci/run` runs all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def exhaustive_except(params: Iterable[Any], *kept: Any) -> list[Any]:
    """The parameters, of which all but the kept ones get the marker `exhaustive`."""
    every = list(params)
    assert [one for one in kept if one not in every] == []
    return [one if one in kept else _mark(one) for one in every]


def _mark(param: Any) -> Any:
    values = param if isinstance(param, tuple) else (param,)
    return pytest.param(*values, marks=pytest.mark.exhaustive)
