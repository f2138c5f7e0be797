"""`log RUN`: prints all that the journal contains about one run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from tfevents.cli.log.document import make_entry
from tfevents.cli.log.rows import COLOURS
from tfevents.cli.output import Table
from tfevents.journal.history import HistoryItem


def show_run(items: Iterable[HistoryItem]) -> None:
    """Prints a table for a run and one for each of its events, with the names of `log --json`.

    `items`: the run; or the events of a run that can't be read.
    """
    tables = [table for item in items for table in _list_tables(make_entry(item))]
    for number, (kind, entry) in enumerate(tables):
        if number:
            click.echo()
        _show_table(kind, entry)


def _list_tables(entry: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    events = entry.pop("events", None)
    if events is None:
        return [("event", entry)]
    return [("run", entry), *(("event", event) for event in events)]


def _show_table(kind: str, entry: dict[str, Any]) -> None:
    """Prints one table, with the id in its titles and an event's body in its last rows."""
    titles = (kind, entry.pop(f"{kind}_id"))
    body = entry.pop("event", {})
    fields = {**entry, **body}
    Table(titles, list(make_rows(fields)), colours=COLOURS).show()


def make_rows(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(name, value) rows, with the names of nested mappings joined by dots; without null values.

    A text has one row for each of its lines; a mapping of counts has one row for all of them.
    """
    for name, value in fields.items():
        if isinstance(value, Mapping) and not _holds_counts(value):
            yield from make_rows(value, f"{prefix}{name}.")
        elif value is not None:
            first, *others = _format_value(value).splitlines() or [""]
            yield prefix + name, first
            yield from (("", line) for line in others)


def _holds_counts(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(type(number) is int for number in value.values())


def _format_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{number} {name}" for name, number in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
