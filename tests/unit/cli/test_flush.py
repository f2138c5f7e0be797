"""The lines that `tfevents flush` prints, by the result of the flush."""

from __future__ import annotations

import pytest

from tfevents.cli.flush import describe_result
from tfevents.delivery.flush import FlushSummary


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        (FlushSummary(), ["nothing waits"]),
        (FlushSummary(delivered=4), ["4 delivered"]),
        (
            FlushSummary(delivered=1, refused=2, kept=3, reasons=("refused: a", "kept: b")),
            ["1 delivered, 2 refused, 3 kept", "refused: a", "kept: b"],
        ),
        (FlushSummary(assigned=1, delivered=1), ["1 event assigned", "1 delivered"]),
        (
            FlushSummary(closed=1, left=2, dropped=1),
            [
                "nothing waits",
                "1 run without an end, closed",
                "2 refused earlier, sent again by: tfevents flush --refused",
                "1 undelivered event dropped: too many",
            ],
        ),
    ],
)
def test_lines(result: FlushSummary, lines: list[str]) -> None:
    """The number of assigned events comes first, then the other numbers, the reasons, and what else
    the flush did."""
    assert describe_result(result) == lines
