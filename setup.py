"""Installs what setup.cfg says, and nothing that an older build left behind: setuptools packs all
of build/lib, modules that are gone from the source included."""

import shutil
from pathlib import Path

from setuptools import setup

for leftover in Path(__file__).parent.glob("build/lib*"):
    shutil.rmtree(leftover, ignore_errors=True)
setup()
