"""What git knows of the directory of a run. It is asked for a bounded time and changes nothing.

A checkout may be anybody's: neither its configuration nor what its files point at is trusted.
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
"""For one question; after twice as long nothing more is asked."""
LARGEST_ANSWER = 1 << 18
"""Bytes of an answer that are read: a message of more is cut long before its end."""
LARGEST = 16 << 20
"""Of git's own files: a packed-refs of a quarter of a million branches."""
SHA = r"[0-9a-f]{40}|[0-9a-f]{64}"
BRANCH = r"refs/heads/([^\x00-\x20\x7f~^:?*\[\\]{1,1024})"
REQUEST = (
    r"refs/remotes/(?:[^/]+/)?"
    r"(?:(?:pull|pull-requests|merge-requests)/\d+(?:/\w+)?|pr/\d+/(?:head|merge))"
)
"""Where CI checks a pull request out to (`refs/remotes/pull/2/merge`): nobody's branch."""
NEEDED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH"),
        *("GIT_EXEC_PATH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    }
)
"""All that git gets of the environment: nothing secret, and nothing that a git hook left behind,
which would point at another repository."""


class Checkout(Struct, frozen=True):
    """A checkout; None for what git does not say."""

    root: str | None = None
    branch: str | None = None
    sha: str | None = None
    message: str | None = None
    repository: str | None = None


def find_checkout(directory: str, env: Mapping[str, str]) -> Checkout:
    """The checkout that `directory` is in; empty where there is none, or no git."""
    root = files.find_root(directory, env, is_ci=ci.is_ci(env))
    if root is None:
        return Checkout()
    git = _Git(root, env)
    head = git.run("log", "-1", "--format=%H%n%B", "--encoding=UTF-8", "HEAD") or ""
    sha, _, message = head.partition("\n")
    branch, read_sha = read_head(root)
    if branch == ".invalid":  # what a reftable repository says in its HEAD
        branch = _parse_branch(git.run("symbolic-ref", "-q", "HEAD") or "")
    return Checkout(
        root=root,
        branch=branch or _find_only_branch(git),
        sha=_parse_sha(sha) or read_sha,
        message=text.clean_message(message),
        repository=git.run("config", "--get", "remote.origin.url") or _find_only_remote(git),
    )


def read_head(root: str) -> tuple[str | None, str | None]:
    """(branch, sha) from the files themselves: no git binary, or one that won't look."""
    folder = _find_git_folder(root)
    head = _read_file(folder, "HEAD").strip()
    if not head.startswith("ref: "):
        return None, _parse_sha(head)
    name = head.removeprefix("ref: ").strip()
    branch = _parse_branch(name)
    if branch is None:
        return None, None
    shared = os.path.join(folder, _read_file(folder, "commondir").strip())
    return branch, _parse_sha(_read_file(shared, name)) or _find_packed(shared, name)


def _parse_branch(name: str) -> str | None:
    match = re.fullmatch(BRANCH, name)
    return match[1] if match and ".." not in name else None


def _parse_sha(name: str) -> str | None:
    """The commit that a text names; None for any other text."""
    return name.strip() if re.fullmatch(SHA, name.strip()) else None


def _find_git_folder(root: str) -> str:
    """`.git` itself, or what a worktree's or submodule's `.git` file points at."""
    path = os.path.join(root, ".git")
    if os.path.isdir(path):
        return path
    return os.path.join(root, _read_file(root, ".git").removeprefix("gitdir:").strip())


def _find_packed(folder: str, name: str) -> str | None:
    for line in _read_file(folder, "packed-refs").splitlines():
        sha, _, ref = line.partition(" ")
        if ref == name:
            return _parse_sha(sha)
    return None


def _read_file(folder: str, name: str) -> str:
    try:
        path = os.path.join(folder, name)
        return files.read_untrusted(path, LARGEST, root=folder).decode(errors="replace")
    except OSError:
        return ""


def find_message(directory: str, sha: str, env: Mapping[str, str]) -> str | None:
    """The message of one commit, where the checkout has it."""
    root = files.find_root(directory, env, is_ci=ci.is_ci(env))
    if root is None or not re.fullmatch(SHA, sha):
        return None
    return text.clean_message(
        _Git(root, env).run("log", "-1", "--format=%B", "--encoding=UTF-8", sha)
    )


def find_parents(directory: str, sha: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The parents that a commit itself names: a shallow clone's `log` knows of none."""
    root = files.find_root(directory, env, is_ci=ci.is_ci(env))
    if root is None or not re.fullmatch(SHA, sha):
        return ()
    header, _, _ = (_Git(root, env).run("cat-file", "commit", sha) or "").partition("\n\n")
    lines = header.splitlines()
    return tuple(line.removeprefix("parent ") for line in lines if line.startswith("parent "))


def _find_only_branch(git: _Git) -> str | None:
    """On a detached head, the remote branch at this commit; None where there is none or several."""
    refs = git.run("for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/remotes") or ""
    names = {
        line.removeprefix("refs/remotes/").partition("/")[2]
        for line in refs.splitlines()
        if not line.endswith("/HEAD") and not re.fullmatch(REQUEST, line)
    }
    return names.pop() if len(names) == 1 else None


def _find_only_remote(git: _Git) -> str | None:
    names = (git.run("remote") or "").split()
    return git.run("config", "--get", f"remote.{names[0]}.url") if len(names) == 1 else None


class _Git(Struct, frozen=True):
    root: str
    env: Mapping[str, str]
    until: float = field(default_factory=lambda: monotonic() + 2 * SECONDS)

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"_Git({self.root!r})"

    def run(self, *arguments: str) -> str | None:
        """One answer without its line end; None for no answer, a failure, or none in time."""
        seconds = min(SECONDS, self.until - monotonic())
        if seconds <= 0:
            return None
        try:
            child = subprocess.Popen(
                self._command(arguments),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError):
            return None
        return _read_answer(child, seconds)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        """A checkout is often somebody else's in CI: `safe.directory` for this place only. That
        switches off git's own caution, so nothing of its configuration may run anything."""
        safe = ("-c", f"safe.directory={os.path.realpath(self.root)}")
        tame = ("-c", "log.showSignature=false", "-c", "core.fsmonitor=false")
        return ["git", "--no-pager", *safe, *tame, "-C", self.root, *arguments]

    def _environment(self) -> dict[str, str]:
        """What is not in this checkout is not looked for elsewhere: no transport is allowed."""
        kept = {name: value for name, value in self.env.items() if name in NEEDED}
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
    until = monotonic() + seconds
    answer = _read_output(child, until)
    failed = _wait(child, until) != 0
    if failed and len(answer) < LARGEST_ANSWER:
        return None
    return answer.decode(errors="replace").rstrip("\n") or None


def _wait(child: Popen[bytes], until: float) -> int:
    """The exit code; the child is killed where it has not ended by then."""
    try:
        return child.wait(max(0.0, until - monotonic()))
    except TimeoutExpired:
        with suppress(OSError):
            os.killpg(child.pid, SIGKILL)
        return child.wait()


def _read_output(child: Popen[bytes], until: float) -> bytes:
    """What the child writes by then, up to LARGEST_ANSWER and 64 KiB."""
    answer, pipe = b"", child.stdout
    if pipe is None:
        return answer
    with pipe:  # whoever left the group may still hold the other end
        ready = poll()  # not select(), which knows no descriptor past 1,023
        ready.register(pipe, POLLIN)
        while len(answer) < LARGEST_ANSWER and ready.poll(1000 * max(0.0, until - monotonic())):
            piece = os.read(pipe.fileno(), 1 << 16)
            if not piece:
                break
            answer += piece
    return answer
