"""A separate installation of tfevents, in which faults can be planted."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import tfevents

PACKAGES = Path(sysconfig.get_path("purelib"))
PACKAGE = Path(tfevents.__file__).parent


@dataclass(frozen=True)
class Fault:
    """A fault to plant: in `module`, `old` is replaced by `new`; `old` is there once."""

    module: str
    old: str
    new: str


def install(place: Path, *faults: Fault) -> Path:
    """Installs tfevents as `pip install --target` does, and plants faults; returns the program
    `tfevents`."""
    shutil.copytree(PACKAGE, place / "tfevents", ignore=shutil.ignore_patterns("__pycache__"))
    for entry in PACKAGES.iterdir():
        if not (place / entry.name).exists() and not entry.name.startswith("__editable__"):
            (place / entry.name).symlink_to(entry)
    bin_directory = place / "bin"
    bin_directory.mkdir()
    (bin_directory / "python3").symlink_to(sys.executable)
    for name in ("tf", "tfevents"):
        shutil.copy(PACKAGE / "bin" / "tf", bin_directory / name)
    for fault in faults:
        _plant(place / "tfevents", fault)
    return bin_directory / "tfevents"


def _plant(package: Path, fault: Fault) -> None:
    module = package / fault.module
    text = module.read_text()
    assert text.count(fault.old) == 1, f"{fault.module}: {fault.old}"
    module.write_text(text.replace(fault.old, fault.new))


def run_selftest(program: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs `tfevents selftest` of an installation, with no environment variables but these."""
    return subprocess.run(
        [program, "selftest", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
