"""One check and its result."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct


class CheckFailed(Exception):
    """Raised by a failed check; the message says in one line what is wrong."""


class Skipped(Exception):
    """Raised by a check that can't run here; the message says in one line why."""


class Check(Struct, frozen=True):
    """`run` raises CheckFailed or Skipped; the check has passed if it returns."""

    group: str
    name: str
    run: Callable[[], None]


class CheckResult(Struct, frozen=True):
    """`status`: ok, differs or skipped. `detail`: what differs, or why the check was skipped."""

    group: str
    name: str
    status: str
    detail: str
    seconds: float


def run_check(check: Check) -> CheckResult:
    """Runs a check. An unexpected exception counts as `differs`."""
    began, status, detail = time.monotonic(), "ok", ""
    try:
        check.run()
    except Skipped as reason:
        status, detail = "skipped", str(reason)
    except CheckFailed as failure:
        status, detail = "differs", str(failure)
    except Exception as error:  # broad on purpose: the other checks must run
        status, detail = "differs", f"{type(error).__name__}: {error}"
    return CheckResult(check.group, check.name, status, detail, time.monotonic() - began)
