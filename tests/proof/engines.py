"""Every engine that the packages bring, and the one on PATH."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.engines import ENGINES


def add_option(parser: ArgumentParser) -> None:
    """`--engine`, repeatable."""
    parser.add_argument(
        "--engine", action="append", choices=[*ENGINES], help="only this one; repeatable"
    )


def find_engines(names: Sequence[str] | None) -> Iterator[tuple[str, Path]]:
    """The named ones, or all; one that can't be had here is told on stderr."""
    for name in names or ENGINES:
        try:
            yield name, ENGINES[name]()
        except pytest.skip.Exception as why:
            print(f"without {name}: {why}", file=sys.stderr)
