"""Git repositories made with real git, in a given environment."""

from __future__ import annotations

import subprocess
from pathlib import Path


def run(env: dict[str, str], at: Path, *words: str) -> str:
    """Runs git in the directory `at`; returns its stdout, stripped."""
    command = ["git", "-c", "protocol.file.allow=always", *words]
    done = subprocess.run(command, env=env, cwd=at, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def make(at: Path, env: dict[str, str], *options: str) -> Path:
    """Makes a repository with one commit."""
    at.mkdir()
    run(env, at, "init", "-q", "-b", "main", *options)
    commit(at, env, "first")
    return at


def commit(at: Path, env: dict[str, str], message: str) -> str:
    """Makes an empty commit; returns its SHA."""
    run(env, at, "commit", "-q", "--allow-empty", "-m", message)
    return run(env, at, "rev-parse", "HEAD")


def sha(at: Path, env: dict[str, str], name: str = "HEAD") -> str:
    """The SHA of a revision."""
    return run(env, at, "rev-parse", name)
