"""A sample is one environment as a CI vendor documents it, and the build that must be read from
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tfevents.context.ci import Build


@dataclass(frozen=True)
class Sample:
    name: str
    env: Mapping[str, str]
    build: Build
    files: Mapping[str, bytes] = field(default_factory=dict)
