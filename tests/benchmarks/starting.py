"""Measures a command that is not reported, against terraform and against the bare interpreter."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Command, Row, paired
from support.engines import clean_env, terraform

TF = Path(sys.executable).with_name("tf")


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Times `tf version`."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        env = clean_env(root / "home", terraform())
        ours = Command([TF, "version"], root, env)
        bare = Command([terraform(), "version"], root, env)
        python = Command([sys.executable, "-IS", "-c", "pass"], root, env)
        yield paired("tf version / terraform version", ours, bare, 2 * wanted.runs)
        yield paired("tf version / python -IS -c pass", ours, python, 2 * wanted.runs)
