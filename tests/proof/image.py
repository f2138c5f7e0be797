"""Builds the Dockerfile for real, and runs stages in its containers."""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from record import Outcome
from support.image import build_image
from support.image_stages import USERS, list_checks

ABOUT = "the image as PID 1, as any user, with a read-only root: it reports its runs"


def add_options(_: ArgumentParser) -> None:
    """Adds no options: there is only one image."""


def run(_: Namespace) -> Outcome:
    """Runs each check in a container of its own."""
    outcome = Outcome(Counter({"checks": 0, "images built": 1, "users": len(USERS)}))
    with tempfile.TemporaryDirectory() as place, build_image() as image:
        for name, check in list_checks():
            print(f"{name} …", file=sys.stderr)
            outcome.figures["checks"] += 1
            try:
                check(image, Path(place) / name)
            except AssertionError as error:
                outcome.wrong.append(f"{name}: {error}")
    return outcome
