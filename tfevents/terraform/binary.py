"""Finds the terraform or tofu binary to run, and builds the environment that it inherits."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence

from tfevents import files
from tfevents.errors import ProvisionerNotFound

NAMES = ("terraform", "tofu")
LOCK_FILE, LOCK_BYTES = ".terraform.lock.hcl", 1 << 20
REGISTRIES = {"registry.terraform.io": "terraform", "registry.opentofu.org": "tofu"}
OPENTOFU_ONLY = (".tofu", ".tofu.json")
CALLER = "TFEVENTS_CALLER"
"""The environment variable that lets us skip a shim script which leads back to us. Its value is
`pid:path:path…`: the process that last started a provisioner, the scripts that led to that process,
and the path that it started."""
MAX_STARTS = 8
"""How often CALLER may hold the same path before it is skipped, where it is not known whether the
path leads back to us: more often than a real terraform runs terraform, but not endless."""
MARK = b"#!/bin/sh\n# The front of tfevents"
"""The first bytes of our launcher script (bin/tf), in this installation and in every other."""

LAUNCHERS = frozenset(
    {"exec", "command", "env", "sudo", "nice", "nohup", "time", "timeout", "mise", "asdf", "direnv"}
)
"""Commands that may precede another command in a script; some of them drop the environment."""

SECRETS = (
    *("TFEVENTS_API_KEY", "PLUGIN_API_KEY", "PLUGIN_TFEVENTS_API_KEY"),
    "PLUGIN_ENDPOINT_VARIABLES",  # an IaCM step's token is one of its members
)
"""Variables that terraform and its child processes do not inherit. HARNESS_* is not among them: the
Harness provider reads it."""


CLI_PATHS = {"terraform": "TERRAFORM_CLI_PATH", "tofu": "TOFU_CLI_PATH"}
"""The variables in which GitHub's setup actions give the directory of the real binary, NAME-bin.
https://github.com/hashicorp/setup-terraform, https://github.com/opentofu/setup-opentofu"""


class NotExecutable(OSError):
    """A file that exists and can't be executed; holds the system's reason and the path."""


def find_binary(
    env: Mapping[str, str], program: str, wanted: str | None = None, directory: str = "."
) -> str:
    """The path of the terraform or tofu to run: never this program, under whatever name.

    `program`: argv[0]. `wanted`: the name or path asked for; for a path that leads to us, the next
    binary of its base name on PATH is taken. If both tools are found and neither was asked for, the
    one that initialised `directory` is taken. A shim that only calls us is taken only if there is
    nothing else. Raises ProvisionerNotFound, and NotExecutable for a path without execute
    permission.
    """
    names = _list_names(program, wanted)
    usable = [path for name in names for path in _find_usable(name, program, env)]
    found = [path for path in usable if not _is_shim(path, env)] or usable
    if names is NAMES and {os.path.basename(path) for path in found} == set(NAMES):
        name = initialised_by(directory)
        return next(path for path in found if os.path.basename(path) == name)
    if found:
        return found[0]
    if wanted and os.sep in wanted:
        _check_executable(_list_candidates(wanted, "")[0])
    raise ProvisionerNotFound(_describe_missing(wanted, names))


def find_unwrapped(path: str, env: Mapping[str, str]) -> str:
    """The binary behind the wrapper of GitHub's setup actions; `path` if it is not such a wrapper.

    The wrapper is a node script that writes terraform's output into the outputs of the CI step. Our
    own queries must not appear there.
    """
    name = os.path.basename(path)
    if name not in CLI_PATHS or b"node" not in _read_script(path).partition(b"\n")[0]:
        return path
    folders = (env.get(CLI_PATHS[name]), os.path.dirname(os.path.realpath(path)))
    places = [os.path.join(folder, f"{name}-bin") for folder in folders if folder]
    return next(filter(_is_executable, places), path)


def _list_names(program: str, wanted: str | None) -> Sequence[str]:
    """The names or paths to look for, the preferred one first."""
    if wanted:
        there = os.sep in wanted and _is_executable(_list_candidates(wanted, "")[0])
        return (wanted, os.path.basename(wanted)) if there else (wanted,)
    name = os.path.basename(program)
    return (name,) if name in NAMES else NAMES


def _find_usable(name: str, program: str, env: Mapping[str, str]) -> list[str]:
    """The executable files of this name that are neither this program nor lead back to it."""
    found = filter(_is_executable, _list_candidates(name, env.get("PATH", os.defpath)))
    others = (path for path in found if not _is_tfevents(path, program))
    return [path for path in others if not _leads_back(path, env)]


def initialised_by(directory: str) -> str:
    """The tool that a directory was initialised with, `terraform` or `tofu`.

    The provider registries in the lock file decide, else files that only OpenTofu reads;
    `terraform` without any sign.
    """
    registries = _find_registries(os.path.join(directory, LOCK_FILE), directory)
    if len(registries) == 1:
        return REGISTRIES[registries.pop()]
    try:
        names = os.listdir(directory)
    except OSError:
        return "terraform"
    return "tofu" if any(name.endswith(OPENTOFU_ONLY) for name in names) else "terraform"


def _find_registries(lock_file: str, directory: str) -> set[str]:
    """The members of `REGISTRIES` that providers are locked from; empty if the file can't be
    read."""
    try:
        text = files.read_untrusted(lock_file, LOCK_BYTES, root=directory)
    except OSError:
        return set()
    blocks = (line.split() for line in text.decode(errors="replace").splitlines())
    sources = (words[1] for words in blocks if words[:1] == ["provider"] and len(words) > 1)
    return {source.strip('"').partition("/")[0] for source in sources} & REGISTRIES.keys()


def _check_executable(path: str) -> None:
    """Raises NotExecutable for a file without execute permission."""
    if os.path.isfile(path) and not os.access(path, os.X_OK):
        raise NotExecutable(errno.EACCES, os.strerror(errno.EACCES), path)


def _describe_missing(wanted: str | None, names: Sequence[str]) -> str:
    """The message for a provisioner that was not found."""
    if wanted:
        return f"TFEVENTS_PROVISIONER names {wanted!r}, which is no terraform or tofu to be run"
    told = " or ".join(names)
    return f"no {told} on PATH: install one, or name it with TFEVENTS_PROVISIONER"


def _list_candidates(name: str, path: str) -> list[str]:
    """The absolute path if `name` is a path, else `name` in each directory of `path`, a PATH."""
    if os.sep in name:
        return [os.path.abspath(os.path.expanduser(name))]
    return [os.path.join(directory or ".", name) for directory in path.split(os.pathsep)]


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_tfevents(path: str, program: str) -> bool:
    """Whether the file is this program, a link to it, or another installation of it."""
    return os.path.realpath(path) == os.path.realpath(program) or _read_head(path).startswith(MARK)


def _is_shim(path: str, env: Mapping[str, str]) -> bool:
    """Whether the file is a shim: a script with a line `tf "$@"`, where `tf` is ours; `tf` may be
    called through `exec`, `env` or the like."""
    return any(_is_call(line, env) for line in _read_script(path).splitlines())


def _is_call(line: bytes, env: Mapping[str, str]) -> bool:
    """Whether this line of a script calls our `tf` with all of the script's arguments."""
    words = [os.fsdecode(w) for w in line.replace(b'"', b" ").replace(b"'", b" ").split()]
    if not {"$@", "$*"} & set(words):
        return False
    launched = len(words) > 0 and words[0] in LAUNCHERS
    for word in words if launched else words[:1]:
        if os.path.basename(word) == "tf":
            called = filter(_is_executable, _list_candidates(word, env.get("PATH", os.defpath)))
            return _read_head(next(called, "")).startswith(MARK)
    return False


def _read_script(path: str) -> bytes:
    """The first bytes of a script; empty for any other file."""
    head = _read_head(path)
    return head if head.startswith(b"#!") else b""


def _read_head(path: str) -> bytes:
    """The first 1024 bytes of a file; empty if it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read(1024)
    except OSError:
        return b""


def _leads_back(path: str, env: Mapping[str, str]) -> bool:
    """Whether the file led to this process: a script that is our parent or one of the scripts that
    another `tf` started, or any file that was started too often (MAX_STARTS)."""
    if path in _find_calling_scripts(env) or _parse_caller(env)[1].count(path) >= MAX_STARTS:
        return True
    return bool(_read_script(path)) and _is_parent(path)


def _parse_caller(env: Mapping[str, str]) -> tuple[str, list[str]]:
    """The process id in CALLER, and the paths in it, in the order in which they were started."""
    pid, _, paths = env.get(CALLER, "").partition(":")
    return pid, [path for path in paths.split(os.pathsep) if path]


def _find_calling_scripts(env: Mapping[str, str]) -> list[str]:
    """The scripts through which another `tf` process led to this one; empty if none did."""
    pid, paths = _parse_caller(env)
    scripts = [path for path in paths if _read_script(path)]
    if scripts and (_is_self_or_ancestor(pid) or any(map(_is_parent, scripts))):
        return scripts
    return []


def _is_self_or_ancestor(pid: str) -> bool:
    """Whether the process is this one or an ancestor of it, with no terraform process from there to
    here: what terraform starts is a run of its own."""
    place = str(os.getpid())
    while place != pid:
        above = _find_parent(place)
        if above in ("0", ""):
            return False
        if _find_executable(above).startswith(NAMES):
            return False
        place = above
    return True


def _find_parent(pid: str) -> str:
    """The parent's process id; empty if it is not known."""
    if pid == str(os.getpid()):
        return str(os.getppid())
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read(4096).rpartition(b")")[2].split()[1].decode()
    except (OSError, IndexError):
        return ""


def _find_executable(pid: str) -> str:
    """The base name of the file that a process executes; empty if it is not known."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""


def _is_parent(path: str) -> bool:
    """Whether our parent process is running this script; False if that is not known (no /proc)."""
    try:
        with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:
            words = file.read(65536).split(b"\0")
        place = os.readlink(f"/proc/{os.getppid()}/cwd")
    except OSError:
        return False
    # `sh [-e] /shims/terraform plan`: the interpreter, perhaps an option, the script
    real = os.path.realpath(path)
    return any(os.path.realpath(os.path.join(place, os.fsdecode(w))) == real for w in words[1:3])


def is_reported_already(env: Mapping[str, str]) -> bool:
    """Whether another `tf` started us in terraform's place, through a shim: it reports the run."""
    return bool(_find_calling_scripts(env))


def inherited_environment(env: Mapping[str, str], path: str) -> dict[str, str]:
    """The environment that terraform inherits: ours without `SECRETS`, with `path` in CALLER."""
    kept = {name: value for name, value in env.items() if name not in SECRETS}
    before = _parse_caller(env)[1]
    chain = _find_calling_scripts(env) or (before if path in before else [])
    return {**kept, CALLER: os.pathsep.join([str(os.getpid()), *chain, path])}
