"""An installation from a checkout packs all of the source, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from support.paths import ROOT

pytestmark = pytest.mark.exhaustive


def test_what_an_older_build_left_is_not_packed(tmp_path: Path) -> None:
    """Exactly the modules of the source are packed: a module that an older build left in `build` is
    not."""
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "build", "tests", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    stale = checkout / "build" / "lib" / "tfevents" / "removed.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", tmp_path, "."],
        cwd=checkout,
        check=True,
        timeout=240,
    )
    (wheel,) = tmp_path.glob("tfevents-*.whl")
    packed = {name for name in ZipFile(wheel).namelist() if name.startswith("tfevents/")}
    source = {str(path.relative_to(ROOT)) for path in (ROOT / "tfevents").rglob("*.py")}
    assert {name for name in packed if name.endswith(".py")} == source
