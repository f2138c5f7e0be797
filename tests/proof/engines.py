"""Finds the engines to test: all that packages provide, and the terraform on PATH."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.engines import ENGINES


def add_option(parser: ArgumentParser) -> None:
    """Adds the option `--engine`, which is repeatable."""
    parser.add_argument(
        "--engine", action="append", choices=[*ENGINES], help="only this one; repeatable"
    )


def find_engines(names: Sequence[str] | None) -> Iterator[tuple[str, Path]]:
    """Names and paths of the named engines, or of all; reports an unavailable one on stderr and
    leaves it out."""
    for name in names or ENGINES:
        try:
            yield name, ENGINES[name]()
        except pytest.skip.Exception as why:
            print(f"without {name}: {why}", file=sys.stderr)
