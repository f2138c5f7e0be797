"""One environment as a vendor documents it, and what must be read out of it."""

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
