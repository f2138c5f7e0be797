"""A freshly installed system: terraform, a new user, and a clone of the repository in each home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.debian import NEW_NAMESPACES, PACKAGES, TRIXIE, make_system
from support.engines import terraform
from support.paths import ROOT

IMAGE = "python:3"
SYSTEMS = {
    "Debian 12": ("bookworm", PACKAGES),
    "Debian 13": TRIXIE,
    "Ubuntu 24.04": ("noble", PACKAGES),
    IMAGE: ("bookworm", PACKAGES),
}
"""Release and packages of each; IMAGE is like that container image: its only Python is in
/usr/local."""
USER = "ann"
LOGIN = """
root=$1 user=$2 script=$3
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot "$root" su - "$user" -c "$script"
"""


@dataclass(frozen=True)
class FreshSystem:
    """The root directory of the system; root and USER have the clone `tfevents` in their homes."""

    root: Path

    def run(self, user: str, script: str) -> str:
        """The output of a script in a new login shell; raises AssertionError with it if the script
        fails."""
        words = [*NEW_NAMESPACES, "sh", "-euc", LOGIN, "sh", str(self.root), user, script]
        done = subprocess.run(
            words,
            env={"PATH": os.defpath + ":/usr/sbin:/sbin", "TERM": "dumb"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"$ {script}\n{done.stdout[-6000:]}"
        return done.stdout


@contextmanager
def install_system(name: str) -> Iterator[FreshSystem]:
    """Makes one of SYSTEMS, and deletes it when the context ends."""
    release, packages = SYSTEMS[name]
    base = make_system(release, *packages)
    place = Path(tempfile.mkdtemp(prefix="tfevents-system-"))
    place.chmod(0o755)
    try:
        subprocess.run(["cp", "-a", f"{base}/.", place], check=True)
        if name == IMAGE:
            _replace_python(place)
        shutil.copy(terraform(), place / "usr/local/bin/terraform")
        _add_user(place)
        yield FreshSystem(place)
    finally:
        shutil.rmtree(place)


def _replace_python(root: Path) -> None:
    """Replaces the system's Python by this one, as if built there; skips the test if it does not
    run there."""
    for path in (*root.glob("usr/bin/*python3*"), *root.glob("usr/lib/python3*")):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    source = Path(sys.base_prefix)
    if source == Path("/usr"):
        pytest.skip("this Python is the system's, and can't be taken elsewhere")
    unneeded = shutil.ignore_patterns("site-packages", "test", "*.a", "__pycache__", "share")
    shutil.copytree(source, root / "usr/local", ignore=unneeded, symlinks=True, dirs_exist_ok=True)
    check = "ldconfig; exec python3 -c 'import bz2, ctypes, lzma, sqlite3, ssl'"
    done = subprocess.run(["chroot", root, "sh", "-c", check], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this Python does not run there: {done.stderr.decode()[-200:]}")


def _add_user(root: Path) -> None:
    subprocess.run(["chroot", root, "useradd", "-m", "-s", "/bin/bash", USER], check=True)
    (root / "etc/profile.d/certificates.sh").write_text(_list_certificates())
    for home in ("root", f"home/{USER}"):
        subprocess.run(["git", "clone", "--quiet", ROOT, root / home / "tfevents"], check=True)
    give = ["chown", "-R", f"{USER}:{USER}", f"/home/{USER}/tfevents"]
    subprocess.run(["chroot", root, *give], check=True)


def _list_certificates() -> str:
    """A shell profile with SSL_CERT_FILE as it is here, for uv; no other variable is taken over."""
    bundle = os.environ.get("SSL_CERT_FILE")
    return f"export SSL_CERT_FILE={bundle}\n" if bundle else ""
