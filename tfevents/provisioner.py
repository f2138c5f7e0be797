"""The terraform or tofu that runs: finding it, becoming it, starting it, asking it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NoReturn

from tfevents.errors import ProvisionerNotFound

NAMES = ("terraform", "tofu")
CALLER = "TFEVENTS_CALLER"
"""`pid:path` of what we last started, so that a shim script that leads back to us is passed by."""

SECRETS = ("TFEVENTS_API_KEY", "PLUGIN_API_KEY", "PLUGIN_TFEVENTS_API_KEY")
"""Not for terraform and what it starts. HARNESS_* stays: the Harness provider reads it."""


def find(env: Mapping[str, str], program: str, wanted: str | None = None) -> str:
    """The path of the binary to run: never this program, under whatever name it was started.

    `program` is argv[0]; `wanted` what the settings name (a name or a path). Raises
    ProvisionerNotFound.
    """
    name = os.path.basename(program)
    names = (wanted,) if wanted else ((name,) if name in NAMES else NAMES)
    for candidate in names:
        for path in _places(candidate, env.get("PATH", os.defpath)):
            if _runs(path) and not _is_us(path, program) and not _leads_back(path, env):
                return path
    raise ProvisionerNotFound(_missing(wanted, names))


def _missing(wanted: str | None, names: Sequence[str]) -> str:
    if wanted:
        return f"TFEVENTS_PROVISIONER names {wanted!r}, which is no program that can be run"
    told = " or ".join(names)
    return f"no {told} on PATH: install one, or name it with TFEVENTS_PROVISIONER"


def _places(name: str, path: str) -> list[str]:
    if os.sep in name:
        return [os.path.abspath(os.path.expanduser(name))]
    return [os.path.join(directory or ".", name) for directory in path.split(os.pathsep)]


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_us(path: str, program: str) -> bool:
    """A link to this program, or another installation of it (a script that says tfevents)."""
    real = os.path.realpath(path)
    return real == os.path.realpath(program) or b"tfevents" in _script(real)


def _script(path: str) -> bytes:
    """The beginning of a script; nothing of a binary."""
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except OSError:
        return b""
    return head if head.startswith(b"#!") else b""


def _leads_back(path: str, env: Mapping[str, str]) -> bool:
    """A script that we started and that started us again, in our process or as our parent."""
    pid, _, started = env.get(CALLER, "").partition(":")
    return started == path and pid in (str(os.getpid()), str(os.getppid())) and bool(_script(path))


def environment(env: Mapping[str, str], path: str) -> dict[str, str]:
    """What terraform inherits: everything but our keys."""
    kept = {name: value for name, value in env.items() if name not in SECRETS}
    return {**kept, CALLER: f"{os.getpid()}:{path}"}


def become(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Terraform in our place: nothing of us stays in memory. Raises OSError."""
    import _signal  # `signal` builds enums, 3 ms that no pass-through needs

    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them, terraform must not
        _signal.signal(number, _signal.SIG_DFL)
    os.execve(path, [os.path.basename(path), *arguments], environment(env, path))


def start(
    path: str, arguments: Sequence[str], env: Mapping[str, str], stdout: int | None = None
) -> int:
    """The pid of the child that has our terminal, or `stdout` in place of ours. Raises OSError."""
    import signal  # see become()

    actions = [] if stdout is None else [(os.POSIX_SPAWN_DUP2, stdout, 1)]
    return os.posix_spawn(
        path,
        [os.path.basename(path), *arguments],
        environment(env, path),
        file_actions=actions,
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )
