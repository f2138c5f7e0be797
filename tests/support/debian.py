"""Debian and Ubuntu systems in directories, made by debootstrap; pip in them is set up as on this
machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.cache import cached

NEW_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
UBUNTU = ("noble",)
PACKAGES = ("git", "ca-certificates", "python3-venv")
"""The packages that the README's commands need."""
TRIXIE = ("trixie", (*PACKAGES, "debootstrap", "ubuntu-keyring"))
"""The release whose debootstrap can make Ubuntu, and the packages that this needs."""
INSIDE = """
root=$1 draft=$2
shift 2
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$draft" "$root/mnt"
exec chroot "$root" debootstrap "$@" /mnt
"""


def need_tools(*programs: str) -> None:
    """Skips the test if such a system can't be made or entered here."""
    for name in (*programs, "debootstrap", "unshare", "chroot"):
        if shutil.which(name) is None:
            pytest.skip(f"there is no {name} (Debian's package: {name})")
    if os.geteuid() != 0:
        pytest.skip("only root can make a system")
    if subprocess.run([*NEW_NAMESPACES, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no namespaces can be had here")


def make_system(release: str, *packages: str) -> Path:
    """A minimal system of a release with these packages. It is shared: copy it before you change
    it."""

    def make(draft: Path) -> None:
        words = ["--variant=minbase", f"--include={','.join(packages)}", release]
        command = _enter_maker(words, draft) if release in UBUNTU else ["debootstrap", *words]
        target = [] if release in UBUNTU else [str(draft)]
        done = subprocess.run([*command, *target], capture_output=True, text=True, check=False)
        if done.returncode:
            told = (done.stdout + done.stderr).splitlines()
            pytest.skip(f"debootstrap: {told[-1]}")

    root = cached("-".join((release, *packages)), make)
    _find_packages(root)
    return root


def _enter_maker(words: list[str], draft: Path) -> list[str]:
    release, packages = TRIXIE
    maker = make_system(release, *packages)
    arguments = ["--components=main,universe", *words]
    return ["unshare", "--mount", "sh", "-euc", INSIDE, "sh", str(maker), str(draft), *arguments]


def _find_packages(root: Path) -> None:
    """Sets up name resolution, pip's index and proxy, and the trusted CA certificates as on this
    machine."""
    names = ("cert", "index_url", "extra_index_url", "proxy", "timeout")
    given = {name: os.environ.get(f"PIP_{name.upper()}") for name in names}
    lines = [f"{name.replace('_', '-')} = {value}" for name, value in given.items() if value]
    (root / "etc/pip.conf").write_text("\n".join(["[global]", *lines, ""]))
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    if BUNDLE.exists():
        (root / BUNDLE.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BUNDLE, root / BUNDLE.relative_to("/"))
