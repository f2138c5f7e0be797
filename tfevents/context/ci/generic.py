"""Any other CI, of which only `CI` is known, a variable that nearly all vendors set."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tfevents.context.ci.build import Build


def claims(env: Mapping[str, str]) -> bool:
    return env.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")


def read_build(env: Mapping[str, str], read_file: Callable[[str], bytes | None]) -> Build:
    return Build(vendor="ci")
