"""Builds the package that setup.cfg describes, after deleting the build directories of earlier
builds: setuptools packs everything in build/lib, also modules that the source no longer has."""

import shutil
from pathlib import Path

from setuptools import setup

for leftover in Path(__file__).parent.glob("build/lib*"):
    shutil.rmtree(leftover, ignore_errors=True)
setup()
