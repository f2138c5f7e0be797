"""Reads branch, commit and repository of a run's directory from git, within a time limit.

Nothing is changed. The checkout is not trusted: its configuration can run no program, and a link
in it can't lead out of the folder that is read.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from select import POLLIN, poll
from signal import SIGKILL
from subprocess import Popen, TimeoutExpired
from time import monotonic

from msgspec import Struct, field

from tfevents import files, text
from tfevents.context import ci
from tfevents.context.search_path import find_search_path

SECONDS = 2.0
"""The time limit of one git command; all commands together have twice as long."""
LARGEST_ANSWER = 1 << 18
"""The output of a git command is read up to so many bytes; messages are cut far below that."""
LARGEST_FILE = 16 << 20
"""The most bytes of a file in `.git`; enough for a packed-refs of 250,000 branches."""
SHA = r"[0-9a-f]{40}|[0-9a-f]{64}"
BRANCH = r"refs/heads/([^\x00-\x20\x7f~^:?*\[\\]{1,1024})"
PULL_REQUEST_REF = (
    r"refs/remotes/(?:[^/]+/)?"
    r"(?:(?:pull|pull-requests|merge-requests)/\d+(?:/\w+)?|pr/\d+/(?:head|merge))"
)
"""Refs to which CI fetches a pull request (`refs/remotes/pull/2/merge`); they are no branches."""
INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH"),
        *("GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    }
)
"""The only environment variables that git gets: no secrets, and none that a git hook has set, which
would point to another repository."""


class Checkout(Struct, frozen=True):
    """A checkout; None for each fact that git does not know."""

    root: str | None = None
    branch: str | None = None
    sha: str | None = None
    message: str | None = None
    repository: str | None = None


def find_checkout(directory: str, env: Mapping[str, str]) -> Checkout:
    """The checkout that contains `directory`; empty if there is none, or if it is not trusted.

    Without a git binary, branch and commit are read from the files in `.git`.
    """
    root = files.find_root(directory, env, is_ci=ci.is_ci(env))
    if root is None:
        return Checkout()
    git = _Git(root, env)
    head = git.run("log", "-1", "--format=%H%n%B", "--encoding=UTF-8", "HEAD") or ""
    sha, _, message = head.partition("\n")
    branch, read_sha = read_head(root)
    if branch == ".invalid":  # the HEAD file of a reftable repository
        branch = _parse_branch(git.run("symbolic-ref", "-q", "HEAD") or "")
    return Checkout(
        root=root,
        branch=branch or _find_only_branch(git),
        sha=_parse_sha(sha) or read_sha,
        message=text.clean_message(message),
        repository=git.run("config", "--get", "remote.origin.url") or _find_only_remote(git),
    )


def read_head(root: str) -> tuple[str | None, str | None]:
    """(branch, commit hash), read from the files in `.git`, for when git is missing or fails."""
    folder = _find_git_folder(root)
    head = _read_file(folder, "HEAD").strip()
    if not head.startswith("ref: "):
        return None, _parse_sha(head)
    name = head.removeprefix("ref: ").strip()
    branch = _parse_branch(name)
    if branch is None:
        return None, None
    shared = os.path.join(folder, _read_file(folder, "commondir").strip())
    return branch, _parse_sha(_read_file(shared, name)) or _find_packed_sha(shared, name)


def _parse_branch(name: str) -> str | None:
    match = re.fullmatch(BRANCH, name)
    return match[1] if match and ".." not in name else None


def _parse_sha(name: str) -> str | None:
    """A full commit hash without surrounding whitespace; None for any other text."""
    return name.strip() if re.fullmatch(SHA, name.strip()) else None


def _find_git_folder(root: str) -> str:
    """The path of `.git`, or of the folder that a worktree's or submodule's `.git` file names."""
    path = os.path.join(root, ".git")
    if os.path.isdir(path):
        return path
    return os.path.join(root, _read_file(root, ".git").removeprefix("gitdir:").strip())


def _find_packed_sha(folder: str, name: str) -> str | None:
    for line in _read_file(folder, "packed-refs").splitlines():
        sha, _, ref = line.partition(" ")
        if ref == name:
            return _parse_sha(sha)
    return None


def _read_file(folder: str, name: str) -> str:
    try:
        path = os.path.join(folder, name)
        return files.read_untrusted(path, LARGEST_FILE, root=folder).decode(errors="replace")
    except OSError:
        return ""


def find_message(directory: str, sha: str, env: Mapping[str, str]) -> str | None:
    """The message of a commit; None if the checkout does not have the commit."""
    root = files.find_root(directory, env, is_ci=ci.is_ci(env))
    if root is None or not re.fullmatch(SHA, sha):
        return None
    return text.clean_message(
        _Git(root, env).run("log", "-1", "--format=%B", "--encoding=UTF-8", sha)
    )


def find_parents(directory: str, sha: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The hashes of a commit's parents; empty if the checkout does not have the commit.

    Read from the commit object, because `git log` shows no parents in a shallow clone.
    """
    root = files.find_root(directory, env, is_ci=ci.is_ci(env))
    if root is None or not re.fullmatch(SHA, sha):
        return ()
    header, _, _ = (_Git(root, env).run("cat-file", "commit", sha) or "").partition("\n\n")
    lines = header.splitlines()
    return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))


def _find_only_branch(git: _Git) -> str | None:
    """The remote branch that points at HEAD; None if there is none or several."""
    refs = git.run("for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/remotes") or ""
    names = {
        line.removeprefix("refs/remotes/").partition("/")[2]
        for line in refs.splitlines()
        if not line.endswith("/HEAD") and not re.fullmatch(PULL_REQUEST_REF, line)
    }
    return names.pop() if len(names) == 1 else None


def _find_only_remote(git: _Git) -> str | None:
    names = (git.run("remote") or "").split()
    return git.run("config", "--get", f"remote.{names[0]}.url") if len(names) == 1 else None


class _Git(Struct, frozen=True):
    root: str
    env: Mapping[str, str]
    deadline: float = field(default_factory=lambda: monotonic() + 2 * SECONDS)

    def __repr__(self) -> str:
        """Leaves out the environment, which contains secrets."""
        return f"_Git({self.root!r})"

    def run(self, *arguments: str) -> str | None:
        """The output of a git command, without line end; None if empty, on failure or timeout."""
        seconds = min(SECONDS, self.deadline - monotonic())
        if seconds <= 0:
            return None
        try:
            child = subprocess.Popen(
                self._make_command(arguments),
                env=self._make_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError):
            return None
        return _read_answer(child, seconds)

    def _make_command(self, arguments: Sequence[str]) -> list[str]:
        """The command line, with `safe.directory`: in CI, often another user owns the checkout.

        That disables git's ownership check, so settings that run programs are disabled, too.
        """
        safe = ("-c", f"safe.directory={os.path.realpath(self.root)}")
        no_programs = ("-c", "log.showSignature=false", "-c", "core.fsmonitor=false")
        return ["git", "--no-pager", *safe, *no_programs, "-C", self.root, *arguments]

    def _make_environment(self) -> dict[str, str]:
        """Git's environment, which allows no fetching and no search outside of the checkout."""
        kept = {name: value for name, value in self.env.items() if name in INHERITED}
        return {
            **kept,
            "PATH": find_search_path(self.env),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_CEILING_DIRECTORIES": os.path.dirname(os.path.realpath(self.root)),
            "LC_ALL": "C.UTF-8",
        }


def _read_answer(child: Popen[bytes], seconds: float) -> str | None:
    deadline = monotonic() + seconds
    answer = _read_output(child, deadline)
    failed = _wait_or_kill(child, deadline) != 0
    if failed and len(answer) < LARGEST_ANSWER:
        return None
    return answer.decode(errors="replace").rstrip("\n") or None


def _wait_or_kill(child: Popen[bytes], deadline: float) -> int:
    """The exit code of the child process, which is killed if it has not ended by `deadline`."""
    try:
        return child.wait(max(0.0, deadline - monotonic()))
    except TimeoutExpired:
        with suppress(OSError):
            os.killpg(child.pid, SIGKILL)
        return child.wait()


def _read_output(child: Popen[bytes], deadline: float) -> bytes:
    """What the child process writes by `deadline`; reading stops after LARGEST_ANSWER bytes."""
    answer, pipe = b"", child.stdout
    if pipe is None:
        return answer
    with pipe:  # a process that left the group may keep the other end open
        ready = poll()  # select() fails for file descriptors above 1,023
        ready.register(pipe, POLLIN)
        while len(answer) < LARGEST_ANSWER and ready.poll(1000 * max(0.0, deadline - monotonic())):
            piece = os.read(pipe.fileno(), 1 << 16)
            if not piece:
                break
            answer += piece
    return answer
