"""The terraform or tofu that runs: finding it, becoming it, starting it."""

from __future__ import annotations

import errno
import os

from tfevents.errors import ProvisionerNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer to import than a pass-through has
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

NAMES = ("terraform", "tofu")
CALLER = "TFEVENTS_CALLER"
"""`pid:path` of what we last started, so that a shim script that leads back to us is passed by;
before the path, the scripts that led to us."""

SECRETS = (
    *("TFEVENTS_API_KEY", "PLUGIN_API_KEY", "PLUGIN_TFEVENTS_API_KEY"),
    "PLUGIN_ENDPOINT_VARIABLES",  # an IaCM step's token is one of its members
)
"""Not for terraform and what it starts. HARNESS_* stays: the Harness provider reads it."""


def find(env: Mapping[str, str], program: str, wanted: str | None = None) -> str:
    """The path of the binary to run: never this program, under whatever name it was started.

    `program` is argv[0]; `wanted` what the settings name (a name or a path). Raises
    ProvisionerNotFound, and OSError for a path that may not be run.
    """
    name = os.path.basename(program)
    names = (wanted,) if wanted else ((name,) if name in NAMES else NAMES)
    for candidate in names:
        for path in _places(candidate, env.get("PATH", os.defpath)):
            if _runs(path) and not _is_us(path, program) and not _leads_back(path, env):
                return path
    if wanted and os.sep in wanted:
        _must_run(_places(wanted, "")[0])
    raise ProvisionerNotFound(_missing(wanted, names))


def _must_run(path: str) -> None:
    if os.path.isfile(path) and not os.access(path, os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


def _missing(wanted: str | None, names: Sequence[str]) -> str:
    if wanted:
        return f"TFEVENTS_PROVISIONER names {wanted!r}, which is no terraform or tofu to be run"
    told = " or ".join(names)
    return f"no {told} on PATH: install one, or name it with TFEVENTS_PROVISIONER"


def _places(name: str, path: str) -> list[str]:
    if os.sep in name:
        return [os.path.abspath(os.path.expanduser(name))]
    return [os.path.join(directory or ".", name) for directory in path.split(os.pathsep)]


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_us(path: str, program: str) -> bool:
    """A link to this program, another installation of it, or a script that only calls it."""
    real = os.path.realpath(path)
    if real == os.path.realpath(program):
        return True
    script = _script(real)
    return b"tfevents" in script or _calls_us(script)


def _calls_us(script: bytes) -> bool:
    """A shim: `tf "$@"`, with or without `exec` and a path."""
    for line in script.splitlines():
        words = line.replace(b'"', b" ").replace(b"'", b" ").split()
        if words[:1] == [b"exec"]:
            words = words[1:]
        if words and os.path.basename(words[0]) == b"tf" and {b"$@", b"$*"} & set(words):
            return True
    return False


def _script(path: str) -> bytes:
    """The beginning of a script; nothing of a binary."""
    try:
        with open(path, "rb") as file:
            head = file.read(1024)
    except OSError:
        return b""
    return head if head.startswith(b"#!") else b""


def _leads_back(path: str, env: Mapping[str, str]) -> bool:
    """A script that started us: it waits for us, or we started it and it became us."""
    return path in _chain(env) or (bool(_script(path)) and _is_parent(path))


def _chain(env: Mapping[str, str]) -> list[str]:
    """The scripts that led from another of us to this one."""
    pid, _, paths = env.get(CALLER, "").partition(":")
    scripts = [path for path in paths.split(os.pathsep) if path and _script(path)]
    near = pid in (str(os.getpid()), str(os.getppid())) or any(map(_is_parent, scripts))
    return scripts if near else []


def _is_parent(path: str) -> bool:
    """Whether our parent process is this script; where there is no /proc, nobody can tell."""
    try:
        with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
            words = file.read(65536).split(b"\0")
        place = os.readlink(f"/proc/{os.getppid()}/cwd")
    except OSError:
        return False
    # `sh [-e] /shims/terraform plan`: the interpreter, perhaps an option, the script
    real = os.path.realpath(path)
    return any(os.path.realpath(os.path.join(place, os.fsdecode(w))) == real for w in words[1:3])


def observed(env: Mapping[str, str]) -> bool:
    """Whether another `tf` started us in terraform's place: the run is told of already."""
    return bool(_chain(env))


def environment(env: Mapping[str, str], path: str) -> dict[str, str]:
    """What terraform inherits: everything but our keys."""
    kept = {name: value for name, value in env.items() if name not in SECRETS}
    chain = os.pathsep.join([*_chain(env), path])
    return {**kept, CALLER: f"{os.getpid()}:{chain}"}


def become(path: str, arguments: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Terraform in our place: nothing of us stays in memory. Raises OSError."""
    import _signal  # `signal` builds enums, 3 ms that no pass-through needs

    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them, terraform must not
        _signal.signal(number, _signal.SIG_DFL)
    os.execve(path, [os.path.basename(path), *arguments], environment(env, path))


def start(
    path: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    streams: Mapping[int, int] | None = None,
) -> int:
    """The pid of the child, which has our terminal; `streams` says what it has in place of ours.

    Raises OSError.
    """
    import _signal as signal  # see become()

    return os.posix_spawn(
        path,
        [os.path.basename(path), *arguments],
        environment(env, path),
        file_actions=[(os.POSIX_SPAWN_DUP2, ours, its) for its, ours in (streams or {}).items()],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )
