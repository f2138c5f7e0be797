"""What the commands print: a table with colour on a terminal, plain text in a pipe; or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from msgspec import Struct

from tfevents import terminal

UNSHOWN = "\N{REPLACEMENT CHARACTER}"

GAP = "  "


class Table(Struct, frozen=True):
    """`right`: titles of the columns that hold numbers. `colours`: a cell's text → rich's style."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()
    colours: Mapping[str, str] = {}

    def show(self) -> None:
        """On stdout, as fits whoever reads it."""
        if sys.stdout.isatty():
            self._draw()
        else:
            sys.stdout.write(self.plain())

    def plain(self) -> str:
        """One line a row, columns aligned; what a terminal would obey is left out."""
        lines = [
            list(self.titles),
            *([_shown(cell) for cell in row] for row in self.rows),
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "".join(GAP.join(self._aligned(line, widths)).rstrip() + "\n" for line in lines)

    def _aligned(self, line: Sequence[str], widths: Sequence[int]) -> list[str]:
        pairs = zip(self.titles, line, widths, strict=True)
        return [t.rjust(w) if title in self.right else t.ljust(w) for title, t, w in pairs]

    def _draw(self) -> None:
        from rich.console import Console
        from rich.table import Table as Drawn
        from rich.text import Text

        drawn = Drawn(box=None, pad_edge=False, header_style="bold")
        for title in self.titles:
            drawn.add_column(title, justify="right" if title in self.right else "left")
        for row in self.rows:
            drawn.add_row(*(Text(_shown(cell), self.colours.get(cell, "")) for cell in row))
        Console(file=sys.stdout).print(drawn)


def _shown(cell: str) -> str:
    return terminal.printable(cell, UNSHOWN)


def write_json(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=2))
