"""The options of `tfevents selftest`."""

from __future__ import annotations

from tfevents.cli.setup import selftest
from tfevents.selftest import checks


def test_only_takes_every_group_of_checks() -> None:
    """`--only` offers exactly the groups that there are, in the order in which they run; the
    command does not import them for its help."""
    assert list(checks.GROUPS) == list(selftest.GROUPS)
