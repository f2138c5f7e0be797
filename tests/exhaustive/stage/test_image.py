"""The image, built from the repository's Dockerfile, runs as a container engine runs it: as PID 1,
as any user, with a read-only root directory and nothing of this machine but its network.

Skipped if buildah or debootstrap is missing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.debian import need_tools
from support.image import build_image
from support.image_stages import list_checks


@pytest.mark.timeout(1500)
def test_it_is_built_and_runs(tmp_path: Path) -> None:
    """The image passes every check of `image_stages`; one test has all of them, because a build
    takes minutes."""
    need_tools("buildah")
    with build_image() as image:
        for name, check in list_checks():
            check(image, tmp_path / name)
