"""Files are read safely even if other users control their paths or contents."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tfevents import files
from tfevents.context import git
from tfevents.context.ci import is_ci
from tfevents.context.cost_file import find_cost_file
from tfevents.context.origin import read_event_file
from tfevents.errors import SettingError, UnreadableDocument
from tfevents.readers.hcl import inventory
from tfevents.readers.hcl.files import read_text
from tfevents.settings.load import load_settings
from tfevents.terraform.workdir import WorkingDirectory

OTHER = 12345
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
SHARED = 'harness { org = "o" }'


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


def make_socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def make_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


ODD = {
    "fifo": (make_fifo, "it is no regular file"),
    "sparse": (make_sparse, "it is larger than 64 KiB"),
    "socket": (make_socket, "No such device or address"),
    "directory": (Path.mkdir, "Is a directory"),
    "link": (make_link, "a link leads out of "),
    "device": (make_device, "a link leads out of "),
    "dangling": (lambda path: path.symlink_to("none"), "No such file"),
}
odd = pytest.mark.parametrize(("make", "why"), ODD.values(), ids=list(ODD))


@odd
def test_nothing_odd_is_read(tmp_path: Path, make: Callable[[Path], None], why: str) -> None:
    """FIFOs, sparse files, sockets, directories and links out of the root are refused at once, with
    the reason."""
    make(tmp_path / "x")
    with pytest.raises(OSError, match=r"^\[Errno") as caught:
        files.read_untrusted(str(tmp_path / "x"), 64 << 10, root=str(tmp_path))
    assert caught.value.strerror is not None
    assert caught.value.strerror.startswith(why)


def test_a_regular_file_is_read_to_the_last_byte_of_its_limit(tmp_path: Path) -> None:
    """A file of exactly the limit is read, also through links within the root; the limit holds,
    too, for files whose size is reported as 0."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    path = str(tmp_path / "link" / "x")
    assert files.read_untrusted(path, 5, root=str(tmp_path)) == b"12345"
    with pytest.raises(OSError, match="it is larger than"):
        files.read_untrusted(path, 4)
    with pytest.raises(OSError, match="a link leads out of"):
        files.read_untrusted(path, 5, root=str(tmp_path / "b"))
    with pytest.raises(OSError, match="it is larger than"):
        files.read_untrusted("/proc/self/smaps", 16)
    with pytest.raises(OSError, match="this is no path"):
        files.read_untrusted("a\0b", 16)
    assert not files.is_inside(str(tmp_path) + "x", str(tmp_path))


@odd
@pytest.mark.parametrize("name", [".tfevents.hcl", ".harness/workspace.yaml"])
def test_an_odd_settings_file_is_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], None], why: str
) -> None:
    """A settings file that is no regular file is an error of one line, also in a directory above
    the run's."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "live").mkdir()
    (tmp_path / ".harness").mkdir()
    make(tmp_path / name)
    with pytest.raises(SettingError, match=f"^{tmp_path / name}: {why}"):
        load_settings(
            {"TFEVENTS_HOME": "/nowhere", "XDG_CONFIG_HOME": "/nowhere"}, str(tmp_path / "live")
        )


@odd
def test_odd_files_of_git_and_terraform_say_nothing(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    """If a file of git, of terraform or of the CI event is no regular file, only its own facts are
    missing."""
    assert why
    for folder in (".git", ".terraform"):
        (tmp_path / folder).mkdir()
    for name in (".git/HEAD", ".terraform/environment", ".terraform/terraform.tfstate", "event"):
        make(tmp_path / name)
    assert git.read_head(str(tmp_path)) == (None, None)
    place = WorkingDirectory(str(tmp_path), {})
    assert (place.tf_workspace, place.in_cloud, place.has_backend) == ("default", False, False)
    if not (tmp_path / "event").is_symlink():
        assert read_event_file(str(tmp_path / "event")) is None


@pytest.mark.parametrize("name", ["fifo", "sparse", "directory"])
def test_an_odd_configuration_file_is_a_problem(tmp_path: Path, name: str) -> None:
    """A configuration file that is no regular file is reported like any other unreadable one."""
    ODD[name][0](tmp_path / "x.tf")
    with pytest.raises(UnreadableDocument, match=r"^x\.tf: "):
        read_text(str(tmp_path / "x.tf"), "x.tf")


def test_terraforms_list_of_modules_is_no_link_out_of_its_directory(tmp_path: Path) -> None:
    """modules.json may not be a link out of its directory; `.terraform` itself may be a link,
    because it is often kept elsewhere."""
    (tmp_path / "kept" / "modules").mkdir(parents=True)
    (tmp_path / "elsewhere.json").write_text("{}")
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.tf").write_text("")
    (project / ".terraform").symlink_to("../kept")
    listed = tmp_path / "kept" / "modules" / "modules.json"
    listed.write_text('{"Modules": []}')
    assert inventory.read_inventory(str(project)).problems == ()
    listed.unlink()
    listed.symlink_to("../../elsewhere.json")
    (problem,) = inventory.read_inventory(str(project)).problems
    assert problem.startswith("modules.json: a link leads out of ")


def test_a_cost_file_is_no_link_out_of_the_checkout(tmp_path: Path) -> None:
    """A cost file may be a link within the checkout but not out of it; a FIFO of that name is
    ignored."""
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    place = tmp_path / "checkout" / "live"
    place.mkdir()
    path = place / "infracost.json"
    os.mkfifo(path)
    assert find_cost_file(str(place), None, {}) is None
    path.unlink()
    path.symlink_to("../cost.json")
    (tmp_path / "checkout" / "cost.json").write_text("{}")
    assert find_cost_file(str(place), None, {}) == str(path)
    path.unlink()
    path.symlink_to("../../id_rsa")
    (tmp_path / "id_rsa").write_text("canary")
    with pytest.raises(UnreadableDocument, match="it leads out of") as caught:
        find_cost_file(str(place), None, {})
    assert "canary" not in str(caught.value)


# Trusted directories


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a settings file."""
    place = tmp_path / "checkout"
    (place / ".git").mkdir(parents=True)
    (place / ".tfevents.hcl").write_text(SHARED)
    (place / "live").mkdir()
    return place


def org(directory: Path, **env: str) -> str | None:
    """The `org` that is loaded for a directory."""
    config = str(directory.parent / "none")
    return load_settings(
        {"TFEVENTS_HOME": "/nowhere", "XDG_CONFIG_HOME": config, **env}, directory
    ).org


def give(path: Path, uid: int) -> None:
    """Gives a directory and all below to another user."""
    for each in (path, *path.rglob("*")):
        os.chown(each, uid, uid)


@only_root
def test_a_directory_of_somebody_else_says_nothing(checkout: Path) -> None:
    """Another user's checkout is not trusted, except in CI if that user owns the run's directory as
    well, and under sudo if that user called it."""
    live = checkout / "live"
    assert org(live) == "o"
    assert files.find_root(str(live), {}, is_ci=False) == str(checkout)
    give(checkout, OTHER)
    assert org(live) is None
    assert files.find_root(str(live), {}, is_ci=False) is None
    for env in ({"CI": "true"}, {"GITHUB_ACTIONS": "true"}, {"SUDO_UID": str(OTHER)}):
        assert org(live, **env) == "o"
        assert files.find_root(str(live), env, is_ci=is_ci(env)) == str(checkout)
    for env in ({"CI": "false"}, {"SUDO_UID": str(OTHER + 1)}, {"SUDO_UID": "x"}):
        assert org(live, **env) is None
    os.chown(checkout, OTHER + 1, 0)
    assert org(live, CI="true") is None


@only_root
def test_it_is_said_that_a_file_is_not_read(checkout: Path) -> None:
    """A line says that the settings file of another user's checkout is not read, in each of its
    directories."""
    give(checkout, OTHER)
    env = {"TFEVENTS_HOME": "/nowhere", "XDG_CONFIG_HOME": "/nowhere"}
    for directory in (checkout, checkout / "live"):
        (note,) = load_settings(env, str(directory)).notes
        assert note.startswith(
            f"{checkout}/.tfevents.hcl is not read: the run's directory belongs to"
        )


def test_a_directory_for_everybody_says_nothing(tmp_path: Path) -> None:
    """A directory with the sticky bit, such as /tmp, is not trusted: its settings and its .git do
    not apply to directories below."""
    shared = tmp_path / "tmp"
    (shared / ".git").mkdir(parents=True)
    (shared / "mine").mkdir()
    (shared / ".tfevents.hcl").write_text(SHARED)
    assert org(shared / "mine") == "o"
    shared.chmod(0o1777)
    assert org(shared / "mine") is None
    assert files.find_root(str(shared / "mine"), {}, is_ci=False) is None
    (shared / "mine" / ".tfevents.hcl").write_text(SHARED)
    assert org(shared / "mine") == "o"
    assert org(shared, CI="true") is None


@only_root
def test_the_users_own_file_is_the_users(tmp_path: Path) -> None:
    """The user's own settings file is not read from a directory of another user, not even in CI."""
    config = tmp_path / "tfevents"
    config.mkdir()
    (config / "config.hcl").write_text(SHARED)
    env = {"TFEVENTS_HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path)}
    assert load_settings(env, "/").org == "o"
    os.chown(config, OTHER, OTHER)
    assert load_settings({**env, "CI": "true"}, "/").org is None


def test_a_users_own_file_is_not_found_from_where_we_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative XDG_CONFIG_HOME is ignored, as XDG requires, so that a checkout can't provide the
    user's own file."""
    (tmp_path / "x" / "tfevents").mkdir(parents=True)
    (tmp_path / "x" / "tfevents" / "config.hcl").write_text(SHARED)
    monkeypatch.chdir(tmp_path)
    for base, said in ((str(tmp_path / "x"), "o"), ("x", None), ("./x", None)):
        assert (
            load_settings({"TFEVENTS_HOME": "/nowhere", "XDG_CONFIG_HOME": base}, "/").org == said
        )


def test_a_worktree_is_a_checkout(tmp_path: Path) -> None:
    """A git worktree, in which `.git` is a file, is a checkout."""
    (tmp_path / ".git").write_text("gitdir: /elsewhere")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert files.find_root(str(tmp_path / "a" / "b"), {}, is_ci=False) == str(tmp_path)


def test_a_link_into_a_checkout_leads_to_its_files(tmp_path: Path) -> None:
    """A run's directory that is a link into a checkout, as with `-chdir=LINK`, has the settings of
    that checkout, as after `cd LINK`."""
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "live").mkdir()
    (tmp_path / "checkout" / ".tfevents.hcl").write_text(SHARED)
    link = tmp_path / "link"
    link.symlink_to("checkout/live")
    assert files.find_root(str(link), {}, is_ci=False) == str(tmp_path / "checkout")
    assert org(link) == "o"


def test_the_users_own_file_may_be_a_link(tmp_path: Path) -> None:
    """The user's own settings file may be a link, for example into a repository of such files."""
    (tmp_path / "tfevents").mkdir()
    (tmp_path / "mine.hcl").write_text(SHARED)
    (tmp_path / "tfevents" / "config.hcl").symlink_to(tmp_path / "mine.hcl")
    assert (
        load_settings({"TFEVENTS_HOME": "/nowhere", "XDG_CONFIG_HOME": str(tmp_path)}, "/").org
        == "o"
    )
