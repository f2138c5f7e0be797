"""The home directory: private to one user, whatever the umask; otherwise the fallback journal is
used."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.engines import clean_env
from support.exhaustive import exhaustive_except
from support.twins import TF

from tfevents.journal import run_lock
from tfevents.settings import home

ENGINE = """\
#!/bin/sh
[ "$1" = version ] || { ls -ld "$TFEVENTS_HOME" "$TFEVENTS_HOME/runs/"* >seen 2>&-; umask >umask; }
exit 1
"""
SOMEBODY = 54321


@dataclass(frozen=True)
class Place:
    """A terraform that fails at once, and a home directory that does not exist yet."""

    root: Path
    env: Mapping[str, str]

    @property
    def home(self) -> Path:
        """The home directory, whose parent does not exist yet either."""
        return self.root / "state" / "tfevents"

    @property
    def spare(self) -> Path:
        """The fallback home directory."""
        return Path(self.env["TMPDIR"]) / f"tfevents-{os.getuid()}"

    def run(self, umask: int = 0o022) -> list[str]:
        """Runs `tf refresh`, asserts terraform's exit code, and returns the lines on stderr."""
        done = subprocess.run(
            [TF, "refresh"],
            env={**self.env, "TFEVENTS_HOME": str(self.home)},
            cwd=self.root,
            capture_output=True,
            text=True,
            umask=umask,
            check=False,
        )
        assert done.returncode == 1
        assert not done.stdout
        return done.stderr.splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new `Place`."""
    env = clean_env(tmp_path / "home")
    engine = tmp_path / "home" / "bin" / "terraform"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    return Place(tmp_path, env)


def modes(path: Path) -> int:
    """The permission bits of a file."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.exhaustive
@pytest.mark.parametrize("umask", [0, 0o002, 0o022, 0o077, 0o777])
def test_what_is_made_is_ours_alone(place: Place, umask: int) -> None:
    """Directories that tfevents makes have mode 0700, also missing parents, and the journal 0600,
    whatever the umask; terraform runs with the user's umask."""
    (line,) = place.run(umask)
    assert "kept in the journal" in line
    made = (place.home.parent, place.home, place.home / "runs")
    assert [modes(path) for path in made] == [0o700] * 3
    assert modes(place.home / "journal.db") == 0o600
    seen = (place.root / "seen").read_text()
    assert seen.startswith("drwx------")
    assert int((place.root / "umask").read_text(), 8) == umask


def test_what_is_there_stays_as_it_is(place: Place) -> None:
    """An existing home directory keeps its mode, as the user may let others read it; directories
    that are made in it are private."""
    place.home.mkdir(parents=True)
    for path in (place.home.parent, place.home):
        path.chmod(0o755)
    place.run()
    assert [modes(path) for path in (place.home.parent, place.home)] == [0o755] * 2
    assert modes(place.home / "runs") == 0o700


def writable(mode: int) -> Callable[[Place], None]:
    """A function that makes a home directory with this mode."""

    def make(place: Place) -> None:
        place.home.mkdir(parents=True)
        place.home.chmod(mode)

    return make


def linked(place: Place) -> None:
    """Makes the home directory a link to another directory."""
    (place.root / "elsewhere").mkdir(mode=0o700)
    place.home.parent.mkdir()
    place.home.symlink_to(place.root / "elsewhere")


def dangling(place: Place) -> None:
    """Makes the home directory a link to nothing."""
    place.home.parent.mkdir()
    place.home.symlink_to(place.root / "elsewhere")


def foreign(place: Place) -> None:
    """Makes a home directory of another user."""
    if os.getuid():
        pytest.skip("only root can give a directory away")
    place.home.mkdir(parents=True)
    os.chown(place.home, SOMEBODY, SOMEBODY)


def file(place: Place) -> None:
    """Makes a file in the home directory's place."""
    place.home.parent.mkdir()
    place.home.touch()


SPOILED = [
    (writable(0o777), "others can write to its directory"),
    (writable(0o1777), "others can write to its directory"),
    (writable(0o770), "others can write to its directory"),
    (foreign, "its directory belongs to another user"),
    (linked, "Not a directory"),
    (dangling, "Not a directory"),
    (file, "Not a directory"),
]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    exhaustive_except(SPOILED, SPOILED[2], SPOILED[4]),
    ids=["anybody", "sticky", "a group", "somebody else's", "a link", "a dangling link", "a file"],
)
def test_what_is_not_ours_alone_is_not_used(
    place: Place, spoil: Callable[[Place], None], reason: str
) -> None:
    """A home directory of another user, one that others can write to, a link and a file are not
    used: events go to the fallback journal, and one line says why and where."""
    spoil(place)
    (line,) = place.run()
    assert reason in line
    assert str(place.spare) in line
    assert not place.home.is_dir() or not list(place.home.iterdir())
    assert not (place.root / "elsewhere").exists() or not list((place.root / "elsewhere").iterdir())
    assert (modes(place.spare), modes(place.spare / "journal.db")) == (0o700, 0o600)


@pytest.mark.exhaustive
def test_the_images_home_holds(place: Place) -> None:
    """A home directory such as the image's `/tmp/tfevents`, in a directory that everybody can write
    to, is made private by the first run and used by the second."""
    place.home.parent.mkdir()
    place.home.parent.chmod(0o1777)
    assert "kept in the journal" in place.run(0)[0]
    assert "kept in the journal" in place.run(0)[0]
    assert modes(place.home) == 0o700


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_private_file_is_a_new_one(tmp_path: Path, target: str) -> None:
    """A private file is not created through a symbolic link in its place; `create_file` replaces a
    link or an earlier file with an empty file."""
    (tmp_path / "there").write_text("theirs")
    ours = run_lock.acquire(str(tmp_path / "state"))
    Path(ours.path("plan")).symlink_to(tmp_path / target)
    with pytest.raises(FileExistsError):
        home.create_private(ours.path("plan"))
    Path(ours.create_file("plan")).write_text("ours")
    assert Path(ours.create_file("plan")).read_text() == ""
    assert (tmp_path / "there").read_text() == "theirs"
    assert not (tmp_path / "nowhere").exists()
    ours.release()
