"""What git knows about the place a run happened in: bounded in time, changes nothing, optional."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECONDS = 2.0
MESSAGE_BYTES = 4096


@dataclass(frozen=True)
class Checkout:
    """A checkout; None where git does not say. `parents`: of the head commit."""

    root: str | None = None
    branch: str | None = None
    sha: str | None = None
    message: str | None = None
    repository: str | None = None
    parents: tuple[str, ...] = ()


def find_root(directory: str) -> str | None:
    """The nearest directory upwards that has a `.git`: a folder, or a file in a worktree."""
    place = os.path.abspath(directory)
    while not os.path.exists(os.path.join(place, ".git")):
        place, below = os.path.dirname(place), place
        if place == below:
            return None
    return place


def look(directory: str, env: Mapping[str, str]) -> Checkout:
    """The checkout that `directory` is in; empty where there is none, or no git."""
    root = find_root(directory)
    if root is None:
        return Checkout()
    git = _Git(root, env)
    head = git.ask("log", "-1", "--no-show-signature", "--format=%H%n%P%n%B", "HEAD") or ""
    sha, _, rest = head.partition("\n")
    parents, _, message = rest.partition("\n")
    branch, read_sha = read_head(root)
    return Checkout(
        root=root,
        branch=branch or _containing(git),
        sha=sha.strip() or read_sha,
        message=message.strip() or None,
        repository=git.ask("config", "--get", "remote.origin.url") or _only_remote(git),
        parents=tuple(parents.split()),
    )


def read_head(root: str) -> tuple[str | None, str | None]:
    """(branch, sha) from the files themselves: no git binary, or one that won't look."""
    folder = _git_folder(root)
    head = _read(os.path.join(folder, "HEAD")).strip()
    if not head.startswith("ref: "):
        return None, head or None
    name = head.removeprefix("ref: ").strip()
    shared = os.path.join(folder, _read(os.path.join(folder, "commondir")).strip())
    sha = _read(os.path.join(shared, name)).strip() or _packed(shared, name)
    return name.removeprefix("refs/heads/"), sha or None


def _git_folder(root: str) -> str:
    """`.git` itself, or what a worktree's or submodule's `.git` file points at."""
    path = os.path.join(root, ".git")
    if os.path.isdir(path):
        return path
    return os.path.join(root, _read(path).removeprefix("gitdir:").strip())


def _packed(folder: str, name: str) -> str | None:
    for line in _read(os.path.join(folder, "packed-refs")).splitlines():
        sha, _, ref = line.partition(" ")
        if ref == name:
            return sha
    return None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 22)
    except OSError:
        return ""


def message_of(directory: str, sha: str, env: Mapping[str, str]) -> str | None:
    """The message of one commit, where the checkout has it."""
    root = find_root(directory)
    return _Git(root, env).ask("log", "-1", "--format=%B", sha) if root else None


def _containing(git: _Git) -> str | None:
    """On a detached head: the one remote branch that is exactly here, if there is just one."""
    text = git.ask("for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/remotes") or ""
    names = {
        line.removeprefix("refs/remotes/").partition("/")[2]
        for line in text.splitlines()
        if not line.endswith("/HEAD")
    }
    return names.pop() if len(names) == 1 else None


def _only_remote(git: _Git) -> str | None:
    names = (git.ask("remote") or "").split()
    return git.ask("config", "--get", f"remote.{names[0]}.url") if len(names) == 1 else None


@dataclass(frozen=True)
class _Git:
    root: str
    env: Mapping[str, str]

    def ask(self, *arguments: str) -> str | None:
        """One answer without its line end; None for no answer, a failure, or none in time."""
        try:
            answer = subprocess.run(
                self._command(arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=True,
                start_new_session=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return answer.stdout.decode(errors="replace").rstrip("\n") or None

    def _command(self, arguments: Sequence[str]) -> list[str]:
        """A checkout is often somebody else's in CI: `safe.directory` for this place only."""
        safe = ("-c", f"safe.directory={self.root}")
        quiet = ("-c", "log.showSignature=false", "-c", "core.fsmonitor=false")
        return ["git", *safe, *quiet, "-C", self.root, *arguments]

    def _environment(self) -> dict[str, str]:
        """Without what a git hook leaves behind, which would point at another repository.

        Git only takes safe.directory from the command line since 2.38; the count form is older.
        """
        dropped = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_TRACE")
        kept = {name: value for name, value in self.env.items() if name not in dropped}
        return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
