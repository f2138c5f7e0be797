"""Prints tables, with colour on a terminal and as plain text elsewhere, and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import click
from msgspec import Struct

from tfevents import terminal

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

GAP, INDENT = "  ", "    "


class Table(Struct, frozen=True):
    """A table to print.

    `right`: titles of right-aligned columns. `colours`: a cell's text → rich's style. `notes`: for
    each row the text below it, "" for none; with notes, rows are cut at the terminal's edge.
    `widths`: title → minimum width of the column. `headed`: whether titles are printed; not for the
    later parts of a table that is printed in parts.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()
    colours: Mapping[str, str] = {}
    notes: Sequence[str] | None = None
    widths: Mapping[str, int] = {}
    headed: bool = True

    def show(self) -> None:
        """Prints to stdout: with colours if that is a terminal, else as plain text."""
        if sys.stdout.isatty():
            self._draw()
        else:
            sys.stdout.write(self.plain())

    def plain(self) -> str:
        """The table as text: one line a row, columns aligned, without control characters."""
        title, *rows = (GAP.join(line).rstrip() for line in self._align_cells())
        rows_with_notes = zip_longest(rows, map(_make_printable, self.notes or ()))
        lines = [f"{row}\n{INDENT}{note}" if note else row for row, note in rows_with_notes]
        lines = [title, *lines] if self.headed else lines
        return "".join(line + "\n" for line in lines)

    def _align_cells(self) -> list[list[str]]:
        """The cells of the titles and of each row, padded to the width of their columns."""
        lines = [list(self.titles), *([_make_printable(cell) for cell in row] for row in self.rows)]
        columns = [
            [cell.rjust(width) if title in self.right else cell.ljust(width) for cell in column]
            for title, *column in zip(self.titles, *lines, strict=True)
            for width in [max(self.widths.get(title, 0), *map(len, column))]
        ]
        return [list(line) for line in zip(*columns, strict=True)]

    def _draw(self) -> None:
        if self.notes is not None:
            self._draw_with_notes(self.notes)
        else:
            self._draw_table()

    def _draw_with_notes(self, notes: Sequence[str]) -> None:
        """Prints rows cut at the terminal's edge, each with its note below it in full."""
        from rich.console import Console
        from rich.padding import Padding
        from rich.text import Text

        console = Console(file=sys.stdout)
        titles, *rows = self._align_cells()
        if self.headed:
            head = Text(GAP.join(titles).rstrip(), "bold")
            console.print(head, no_wrap=True, overflow="ellipsis")
        for cells, note in zip(rows, notes, strict=True):
            styled = [Text(cell, self.colours.get(cell.strip(), "")) for cell in cells]
            row = Text(GAP).join(styled)
            row.rstrip()  # no ellipsis for a row of which only spaces are cut
            console.print(row, no_wrap=True, overflow="ellipsis")
            if note:
                console.print(Padding(Text(_make_printable(note), "dim"), (0, 0, 0, len(INDENT))))

    def _draw_table(self) -> None:
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(box=None, pad_edge=False, header_style="bold")
        for title in self.titles:
            table.add_column(
                title, justify="right" if title in self.right else "left", overflow="fold"
            )
        for row in self.rows:
            table.add_row(
                *(Text(_make_printable(cell), self.colours.get(cell, "")) for cell in row)
            )
        Console(file=sys.stdout).print(table)


def _make_printable(cell: str) -> str:
    return terminal.printable(cell, REPLACEMENT)


def write_json(document: Any) -> None:
    """Prints one JSON document to stdout."""
    click.echo(json.dumps(document, indent=2))
