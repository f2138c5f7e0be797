"""Fuzz tests of checkouts with damaged files in `.git`: facts are valid or left out."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from support.checkout import make, run
from support.engines import clean_env
from support.fuzzing import Examples
from support.spoiled_documents import spoil_bytes
from support.spoiled_text import spoil_text

from tfevents.context.git import BRANCH, SHA, read_head
from tfevents.context.origin import find_origin

REMOTE = "https://u:CANARY@host.example/o/r.git?token=CANARY"
NAMES = ("HEAD", "packed-refs", "config", "commondir", "refs/heads/main")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A clean environment for git."""
    return clean_env(tmp_path / "user")


@pytest.fixture
def git_folder(tmp_path: Path, env: dict[str, str]) -> Path:
    """The `.git` folder of a checkout with a remote, two branches and packed refs."""
    checkout = make(tmp_path / "checkout", env)
    run(env, checkout, "remote", "add", "origin", REMOTE)
    run(env, checkout, "branch", "other")
    run(env, checkout, "pack-refs", "--all")
    return checkout / ".git"


def spoil_files(folder: Path, dice: random.Random) -> dict[Path, bytes | None]:
    """Damages one or two files; returns their previous contents, None for a file that did not
    exist."""
    before: dict[Path, bytes | None] = {}
    for name in dice.sample(NAMES, dice.randint(1, 2)):
        path = folder / name
        before[path] = path.read_bytes() if path.exists() else None
        text = before[path] or b"ref: refs/heads/main\n"
        if dice.random() < 0.5:
            path.write_bytes(spoil_bytes(text, dice))
        else:
            path.write_text(spoil_text(text.decode(), dice))
    return before


def restore(before: dict[Path, bytes | None]) -> None:
    """Undoes `spoil_files`."""
    for path, content in before.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


@pytest.mark.fuzz("git directories", 100)
def test_a_spoiled_head_is_read_or_left_out(git_folder: Path, examples: Examples) -> None:
    """`read_head`, which works without a git binary, gives a valid branch and a valid hash, or
    None."""
    read = 0
    for dice in examples:
        before = spoil_files(git_folder, dice)
        branch, sha = read_head(str(git_folder.parent))
        assert branch is None or re.fullmatch(BRANCH, f"refs/heads/{branch}")
        assert sha is None or re.fullmatch(SHA, sha)
        read += branch is not None
        restore(before)
    examples.check_both(read)


@pytest.mark.fuzz("git directories, by git", 20)
def test_a_spoiled_checkout_is_asked(
    git_folder: Path, env: dict[str, str], examples: Examples
) -> None:
    """With a damaged checkout, `find_origin` raises nothing, and its metadata is printable and
    without credentials."""
    for dice in examples:
        before = spoil_files(git_folder, dice)
        origin = find_origin(str(git_folder.parent), env)
        assert "CANARY@" not in str(origin)
        assert "token=CANARY" not in str(origin)
        assert all(origin.metadata[name].isprintable() for name in origin.metadata)
        restore(before)
