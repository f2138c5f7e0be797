"""The image, built for real from the repository's Dockerfile and run as an engine runs it: PID 1,
any user, a read-only root, nothing of this machine but its network.

Skipped where buildah or debootstrap is missing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.debian import need_tools
from support.image import build_image
from support.image_stages import list_checks


@pytest.mark.timeout(1500)
def test_it_is_built_and_runs(tmp_path: Path) -> None:
    """Built once, for that takes minutes."""
    need_tools("buildah")
    with build_image() as image:
        for name, check in list_checks():
            check(image, tmp_path / name)
