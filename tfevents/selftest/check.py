"""One check and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct


class Differs(Exception):
    """What a check found wrong, in one line."""


class Skipped(Exception):
    """Why a check can't be made here, in one line."""


class Check(Struct, frozen=True):
    """`run` raises Differs or Skipped; a check that returns has passed."""

    group: str
    name: str
    run: Callable[[], None]


class CheckResult(Struct, frozen=True):
    """`status` is ok, differs or skipped; `detail` says what differs, or why it was skipped."""

    group: str
    name: str
    status: str
    detail: str
    seconds: float


def run_check(check: Check) -> CheckResult:
    """What came of it; a check that breaks has found something, too."""
    began, status, detail = time.monotonic(), "ok", ""
    try:
        check.run()
    except Skipped as reason:
        status, detail = "skipped", str(reason)
    except Differs as difference:
        status, detail = "differs", str(difference)
    except Exception as error:  # broad on purpose: the other checks go on
        status, detail = "differs", f"{type(error).__name__}: {error}"
    return CheckResult(check.group, check.name, status, detail, time.monotonic() - began)
