"""`tfevents init` writes its file as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tfevents.cli.setup.init import write_atomically


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """A text that can't be encoded leaves no file, for example one with a surrogate from an
    argument that is not UTF-8."""
    with pytest.raises(UnicodeEncodeError):
        write_atomically(str(tmp_path / ".tfevents.hcl"), "org = \udcff")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_rename_leaves_nothing(tmp_path: Path) -> None:
    """If the file can't take its place, here because a directory has its name, the draft is
    removed."""
    path = tmp_path / ".tfevents.hcl"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(str(path), "org = 1\n")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_with_the_name_of_the_draft_stays(tmp_path: Path) -> None:
    """A file with the draft's name is neither overwritten nor removed: it belongs to another
    process, for example in another container with the same process id."""
    path = tmp_path / ".tfevents.hcl"
    other = tmp_path / f"{path.name}.{os.getpid()}"
    other.write_text("other\n")
    with pytest.raises(FileExistsError):
        write_atomically(str(path), "org = 1\n")
    assert list(tmp_path.iterdir()) == [other]


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / ".tfevents.hcl"
    path.write_text("old\n")
    write_atomically(str(path), "new\n")
    assert path.read_text() == "new\n"
    assert list(tmp_path.iterdir()) == [path]
