"""Writes docs/proof.md and README.md's table of figures from the records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from record import Record, read_record
from suites import SUITES

ROOT = Path(__file__).parents[2]
PAGE, README = ROOT / "docs/proof.md", ROOT / "README.md"
TABLE = re.compile(r"(?<=<!-- proof -->\n).*?(?=<!-- /proof -->)", re.DOTALL)
HEAD = """\
# Proof: what was tested, and the results

Written by `python tests/proof page` from `tests/proof/results/`, which the commands below fill with
`--keep`. Suites with random input take a seed: another seed makes other runs.
"""


def write_pages() -> None:
    """Writes both files from the records."""
    PAGE.write_text(render_page())
    README.write_text(render_readme(README.read_text()))


def render_page() -> str:
    """The text of docs/proof.md: one section for each suite that has a record."""
    return "\n".join([HEAD, *(_section(record) for record in _records())])


def render_readme(text: str) -> str:
    """The text of README.md with its table made from the records."""
    lines = ["| what was tried | how often | wrong |", "|---|---|---|"]
    for record in _records():
        name, figure = next(iter(record.figures.items()))
        lines.append(f"| {SUITES[record.suite].ABOUT} | {figure:,} {name} | {record.wrong} |")
    table = "".join(f"{line}\n" for line in lines)
    return TABLE.sub(lambda _: table, text)


def _records() -> Iterator[Record]:
    found = (read_record(name) for name in SUITES)
    return (record for record in found if record is not None)


def _section(record: Record) -> str:
    about = SUITES[record.suite].ABOUT
    single = {name: figure for name, figure in record.figures.items() if ": " not in name}
    return "\n".join(
        [
            f"## {record.suite.capitalize()}",
            f"{about[0].upper()}{about[1:]}.\n",
            f"`{record.command}` on {record.date}, {record.machine}: "
            f"{record.seconds:,.0f} seconds, **{record.wrong} wrong**.\n",
            "| | |",
            "|---|---:|",
            *(f"| {name} | {figure:,} |" for name, figure in single.items()),
            "",
            *_render_matrix(record.figures),
        ]
    )


def _render_matrix(figures: Mapping[str, int]) -> Iterator[str]:
    """The figures named `ROW: COLUMN` as one table; nothing where there are none."""
    cells = {tuple(name.split(": ")): n for name, n in figures.items() if ": " in name}
    if not cells:
        return
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    yield f"| | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for row in rows:
        numbers = (f"{cells.get((row, column), 0):,}" for column in columns)
        yield f"| {row} | {' | '.join(numbers)} |"
    yield ""
