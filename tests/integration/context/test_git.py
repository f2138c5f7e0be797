"""Facts from git about real checkouts, git's safety in hostile checkouts, and overrides of
metadata."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support.checkout import commit, make, run, sha
from support.engines import clean_env
from support.exhaustive import exhaustive_except

from tfevents.context import git
from tfevents.context.origin import find_origin
from tfevents.context.overrides import gather_overrides
from tfevents.context.search_path import find_search_path
from tfevents.events.schema import load_schema

FIELDS = load_schema()["$defs"]["ActivityMetadata"]["properties"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A clean environment for git."""
    return clean_env(tmp_path / "user")


@pytest.fixture
def checkout(tmp_path: Path, env: dict[str, str]) -> Path:
    """A repository with one commit on `main`."""
    return make(tmp_path / "checkout", env)


def test_a_branch(checkout: Path, env: dict[str, str]) -> None:
    """Root, branch, commit and the whole message are found, also from a directory below the
    root."""
    run(env, checkout, "checkout", "-q", "-b", "feature/ünïcode")
    commit(checkout, env, "subject\n\nbody\nof two lines\n")
    (checkout / "a" / "b").mkdir(parents=True)
    for place in (checkout, checkout / "a" / "b"):
        found = git.find_checkout(str(place), env)
        assert found.root == str(checkout)
        assert found.branch == "feature/ünïcode"
        assert found.sha == sha(checkout, env)
        assert found.message == "subject\n\nbody\nof two lines"
        assert git.find_parents(str(place), found.sha or "", env) == (sha(checkout, env, "HEAD~"),)
        assert found.repository is None


def test_a_detached_head_is_on_the_one_remote_branch_that_is_there(
    checkout: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """A detached HEAD, as CI checks out, is on the only remote branch at that commit; with several
    such branches or none, the branch is unknown."""
    clone = tmp_path / "clone"
    run(env, tmp_path, "clone", "-q", str(checkout), str(clone))
    run(env, clone, "checkout", "-q", "--detach")
    assert git.find_checkout(str(clone), env).branch == "main"
    run(env, checkout, "branch", "other/one")
    run(env, clone, "fetch", "-q")
    assert git.find_checkout(str(clone), env).branch is None
    commit(clone, env, "beyond")
    found = git.find_checkout(str(clone), env)
    assert (found.branch, found.message) == (None, "beyond")


def test_a_tag_is_no_branch(checkout: Path, env: dict[str, str]) -> None:
    """A checked out tag gives a commit and no branch."""
    run(env, checkout, "tag", "-a", "-m", "release", "v1")
    run(env, checkout, "checkout", "-q", "v1")
    found = git.find_checkout(str(checkout), env)
    assert (found.branch, found.sha, found.message) == (None, sha(checkout, env), "first")


def test_a_worktree_and_a_submodule(checkout: Path, env: dict[str, str], tmp_path: Path) -> None:
    """Worktrees and submodules, where `.git` is a file, have their own root, branch and commit."""
    run(env, checkout, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = git.find_checkout(str(tmp_path / "side"), env)
    assert (side.root, side.branch, side.message) == (str(tmp_path / "side"), "side", "first")
    inner = make(tmp_path / "inner", env)
    run(env, checkout, "submodule", "add", "-q", str(inner), "sub")
    sub = git.find_checkout(str(checkout / "sub"), env)
    assert sub.root == str(checkout / "sub")
    assert sub.sha == sha(inner, env)
    assert sub.repository == str(inner)


def test_a_shallow_clone(checkout: Path, env: dict[str, str], tmp_path: Path) -> None:
    """A shallow clone gives the commit's message and its parents' hashes; for commits that it does
    not have, there are none."""
    first, last = sha(checkout, env), commit(checkout, env, "second")
    clone = tmp_path / "clone"
    run(env, tmp_path, "clone", "-q", "--depth=1", checkout.as_uri(), str(clone))
    found = git.find_checkout(str(clone), env)
    assert (found.branch, found.sha, found.message) == ("main", last, "second")
    assert git.find_parents(str(clone), last, env) == (first,)
    for missing in (first, "0" * 40, "HEAD", "--help"):
        assert git.find_message(str(clone), missing, env) is None
        assert git.find_parents(str(clone), missing, env) == ()


def test_a_merge_commit_has_two_parents(checkout: Path, env: dict[str, str]) -> None:
    """The second parent of a merge commit is the head that was merged."""
    run(env, checkout, "checkout", "-q", "-b", "feature")
    head = commit(checkout, env, "feature")
    run(env, checkout, "checkout", "-q", "main")
    base = commit(checkout, env, "meanwhile")
    run(env, checkout, "merge", "-q", "--no-ff", "-m", "merged", "feature")
    assert git.find_parents(str(checkout), sha(checkout, env), env) == (base, head)
    assert git.find_message(str(checkout), head, env) == "feature"


def test_a_repository_without_commits(tmp_path: Path, env: dict[str, str]) -> None:
    """A repository without commits has a branch, but no commit."""
    run(env, tmp_path, "init", "-q", "-b", "trunk", "empty")
    found = git.find_checkout(str(tmp_path / "empty"), env)
    assert (found.branch, found.sha, found.message) == ("trunk", None, None)


def test_no_repository_at_all(tmp_path: Path, env: dict[str, str]) -> None:
    """No repository, a bare one and an empty `.git` folder give no facts and no error."""
    assert git.find_checkout(str(tmp_path), env) == git.Checkout()
    run(env, tmp_path, "init", "-q", "--bare", "bare.git")
    assert git.find_checkout(str(tmp_path / "bare.git"), env) == git.Checkout()
    (tmp_path / "fake" / ".git").mkdir(parents=True)
    found = git.find_checkout(str(tmp_path / "fake"), env)
    assert (found.branch, found.sha, found.message) == (None, None, None)


def test_an_empty_git_folder_is_not_somebody_elses(checkout: Path, env: dict[str, str]) -> None:
    """Below an empty `.git` folder, git would find the repository above; its commit is not used."""
    (checkout / "below" / ".git").mkdir(parents=True)
    assert git.find_checkout(str(checkout / "below"), env).sha is None


@pytest.mark.parametrize("packed", [False, True])
def test_without_a_git_binary_the_files_tell(
    checkout: Path, env: dict[str, str], packed: bool, tmp_path: Path
) -> None:
    """Without a git binary, branch and commit are read from git's files, also from packed refs and
    in a worktree."""
    run(env, checkout, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    last = sha(checkout, env)
    if packed:
        run(env, checkout, "pack-refs", "--all")
    for place, branch in ((checkout, "main"), (tmp_path / "side", "side")):
        found = git.find_checkout(str(place), {"PATH": "/nowhere"})
        assert (found.branch, found.sha, found.message) == (branch, last, None)
    run(env, checkout, "checkout", "-q", "--detach")
    found = git.find_checkout(str(checkout), {"PATH": "/nowhere"})
    assert (found.branch, found.sha) == (None, last)


def test_a_checkout_of_another_user(checkout: Path, env: dict[str, str]) -> None:
    """In CI, which mounts checkouts of another user, git is told that this one directory is safe;
    elsewhere, git's refusal stands."""
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    link = checkout.parent / "link"
    link.symlink_to(checkout)
    for folder, _, files in os.walk(checkout):
        for name in ("", *files):
            os.chown(os.path.join(folder, name), 54321, 54321)
    refused = subprocess.run(
        ["git", "log"], env=env, cwd=checkout, capture_output=True, text=True, check=False
    )
    assert "dubious ownership" in refused.stderr
    for place in (checkout, link):
        assert git.find_checkout(str(place), {**env, "CI": "true"}).message == "first"
        assert git.find_checkout(str(place), env) == git.Checkout()  # git's refusal stands


EVIL = """
[core]
\tfsmonitor = touch {canary}; false
\tpager = touch {canary}
\tsshCommand = touch {canary}; false
\teditor = touch {canary}
\tgitProxy = touch {canary}
\thooksPath = {hooks}
\taskPass = {hooks}/evil
\talternateRefsCommand = touch {canary}
[pager]
\tlog = touch {canary}
[alias]
\tlog = "!touch {canary}"
\tconfig = "!touch {canary}"
\tremote = "!touch {canary}"
[log]
\tshowSignature = true
[gpg]
\tprogram = {hooks}/evil
[diff]
\texternal = {hooks}/evil
[diff "evil"]
\ttextconv = {hooks}/evil
\tcommand = {hooks}/evil
[filter "evil"]
\tsmudge = touch {canary}
\tclean = touch {canary}
\tprocess = {hooks}/evil
[credential]
\thelper = "!touch {canary}"
[protocol]
\tallow = always
[protocol "ext"]
\tallow = always
[protocol "file"]
\tallow = always
[extensions]
\tpartialClone = origin
[remote "origin"]
\turl = ext::{hooks}/evil
\tpromisor = true
\tpartialclonefilter = blob:none
\tuploadpack = {hooks}/evil
[uploadpack]
\tpackObjectsHook = {hooks}/evil
"""


def test_a_hostile_configuration_runs_nothing(
    checkout: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """No program in a hostile git configuration is run, also not to fetch a commit that a partial
    clone lacks."""
    canary, hooks = tmp_path / "canary", tmp_path / "hooks"
    hooks.mkdir()
    names = ("evil", "post-checkout", "pre-auto-gc", "reference-transaction", "post-index-change")
    for name in names:
        (hooks / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (hooks / name).chmod(0o755)
    (checkout / ".gitattributes").write_text("* diff=evil filter=evil\n")
    run(env, checkout, "add", ".")
    commit(checkout, env, "evil")
    text = EVIL.format(canary=canary, hooks=hooks)
    config = checkout / ".git" / "config"
    config.write_text(config.read_text().replace("version = 0", "version = 1") + text)
    assert git.find_checkout(str(checkout), env).message == "evil"
    for missing in ("1" * 40, "f" * 40):
        assert git.find_message(str(checkout), missing, env) is None
        assert git.find_parents(str(checkout), missing, env) == ()
    assert not canary.exists()
    unguarded = ["git", "log", "-1", "1" * 40]
    subprocess.run(unguarded, env=env, cwd=checkout, capture_output=True, check=False)
    assert canary.exists()  # plain git does run the programs


@pytest.mark.parametrize(
    "head",
    [
        "ref: ../../secret",
        "ref: refs/heads/../../../secret",
        "ref: /etc/passwd",
        "ref: refs/heads/a\nb",
        "canary",
        "",
        "ref: ",
        "ref: refs/remotes/origin/main",
    ],
)
def test_a_hostile_head_reads_no_other_file(checkout: Path, env: dict[str, str], head: str) -> None:
    """A HEAD that refers to another file, or is a link to one, gives neither branch nor commit."""
    (checkout.parent / "secret").write_text("canary")
    (checkout / "secret").write_text("canary")
    (checkout / ".git" / "HEAD").write_text(head)
    found = git.find_checkout(str(checkout), {**env, "PATH": "/nowhere"})
    assert (found.branch, found.sha) == (None, None)
    (checkout / ".git" / "HEAD").unlink()
    (checkout / ".git" / "HEAD").symlink_to(checkout / "secret")
    assert git.find_checkout(str(checkout), env).sha is None


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"])
def test_what_a_git_hook_left_behind_is_not_followed(
    checkout: Path, env: dict[str, str], tmp_path: Path, variable: str
) -> None:
    """Git's variables, as a hook of another repository passes them on, do not change which
    repository is read."""
    other = make(tmp_path / "other", env)
    commit(other, env, "theirs")
    left = {**env, variable: str(other / ".git"), "GIT_INDEX_FILE": str(other / ".git/index")}
    found = git.find_checkout(
        str(checkout), {**left, "GIT_OBJECT_DIRECTORY": str(other / ".git/objects")}
    )
    assert found.message == "first"


def test_git_gets_nothing_secret(checkout: Path, env: dict[str, str], tmp_path: Path) -> None:
    """Git's environment has no secrets and no variables that it does not need."""
    spy = tmp_path / "spy" / "git"
    spy.parent.mkdir()
    spy.write_text(f"#!/bin/sh\nenv >> {tmp_path}/seen\n")
    spy.chmod(0o755)
    names = ("TFEVENTS_API_KEY", "TF_VAR_x", "AWS_SECRET", "GIT_TRACE")
    secrets = dict.fromkeys(names, "canary")
    git.find_checkout(str(checkout), {**env, **secrets, "PATH": f"{spy.parent}:{env['PATH']}"})
    seen = (tmp_path / "seen").read_text()
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "canary" not in seen


@pytest.mark.parametrize("path", [".:{}", ":{}", "{}:", "bin:{}", "./bin:../work:{}"])
def test_a_checkouts_own_git_is_not_run(
    checkout: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A `git` in the checkout is not run, even if PATH contains relative or empty directories."""
    (checkout / "bin").mkdir()
    for place in (checkout, checkout / "bin"):
        (place / "git").write_text("#!/bin/sh\ntouch run\necho theirs\n")
        (place / "git").chmod(0o755)
    monkeypatch.chdir(checkout)
    found = git.find_checkout(str(checkout), {**env, "PATH": path.format(env["PATH"])})
    assert found.message == "first"
    found = git.find_checkout(str(checkout), {**env, "PATH": path.format("nowhere")})
    assert not list(checkout.rglob("run"))


def test_only_absolute_places_are_asked() -> None:
    """Only absolute directories of PATH are searched; without any, `/usr/bin:/bin`."""
    assert find_search_path({"PATH": "a:/b c::./d:/e:"}) == "/b c:/e"
    assert find_search_path({"PATH": ""}) == find_search_path({"PATH": "."}) == "/usr/bin:/bin"


HANGS = [
    *("sleep 600", "sleep 600 & wait", "trap '' TERM INT; sleep 600"),
    *("(trap '' TERM; sleep 600) &", "exec >&-; sleep 600"),
]


@pytest.mark.parametrize("body", exhaustive_except(HANGS, "(trap '' TERM; sleep 600) &"))
@pytest.mark.exhaustive
def test_a_git_that_hangs_does_not(
    checkout: Path, env: dict[str, str], tmp_path: Path, body: str
) -> None:
    """If git hangs, as in a wrapper script or on a network file system, branch and commit are read
    from git's files."""
    slow = tmp_path / "slow" / "git"
    slow.parent.mkdir()
    slow.write_text(f"#!/bin/sh\n{body}\n")
    slow.chmod(0o755)
    since = time.monotonic()
    found = git.find_checkout(str(checkout), {**env, "PATH": f"{slow.parent}:{env['PATH']}"})
    assert time.monotonic() - since < 60
    assert (found.branch, found.sha) == ("main", sha(checkout, env))


def test_a_message_in_another_encoding(checkout: Path, env: dict[str, str]) -> None:
    """A commit message that is not UTF-8 is decoded by its declared encoding; without one, invalid
    bytes are replaced."""
    tree = run(env, checkout, "rev-parse", "HEAD^{tree}")
    who = "Author <author@example.com> 1 +0000"
    head = f"tree {tree}\nauthor {who}\ncommitter {who}\n".encode()
    for declared, text in ((b"", "caf\ufffd"), (b"encoding ISO-8859-1\n", "café")):
        written = subprocess.run(
            ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
            env=env,
            cwd=checkout,
            input=head + declared + b"\ncaf\xe9\n",
            capture_output=True,
            check=True,
        )
        run(env, checkout, "reset", "-q", written.stdout.decode().strip())
        run(env, checkout, "config", "i18n.logOutputEncoding", "latin1")
        assert git.find_checkout(str(checkout), env).message == text


def test_a_huge_message_is_cut_on_a_character(checkout: Path, env: dict[str, str]) -> None:
    """A commit message is cut to at most 4 KiB, in bytes, and never within a character."""
    message = "x" + "ä" * 5000
    commit(checkout, env, message)
    sent = find_origin(str(checkout), env).metadata["git_commit_message"]
    assert sent == "x" + "ä" * 2047
    assert len(sent.encode()) == 4095


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://user:canary@host/a/b.git", "https://host/a/b.git"),
        ("https://canary@host/a/b.git", "https://host/a/b.git"),
        ("ssh://git:canary@host/a/b", "ssh://git@host/a/b"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("https://oauth2:can/ary:canary@host/a", None),
    ],
)
def test_a_remote_loses_its_credentials(
    checkout: Path, env: dict[str, str], url: str, sent: str | None
) -> None:
    """Credentials are removed from a repository's address, from git or from an override; an address
    that can't be parsed safely is left out."""
    run(env, checkout, "remote", "add", "upstream", url)
    assert find_origin(str(checkout), env).metadata.get("git_repo") == sent
    found, wrong = gather_overrides({"TFEVENTS_METADATA_GIT_REPO": url}, FIELDS)
    assert found.get("git_repo") == sent
    assert len(wrong) == (sent is None)
    assert "canary" not in str(wrong)


def test_of_two_remotes_origin_is_it(checkout: Path, env: dict[str, str]) -> None:
    """Of several remotes, `origin` is the repository; without an `origin`, the repository is
    unknown."""
    run(env, checkout, "remote", "add", "one", "https://host/one")
    assert git.find_checkout(str(checkout), env).repository == "https://host/one"
    run(env, checkout, "remote", "add", "two", "https://host/two")
    assert git.find_checkout(str(checkout), env).repository is None
    run(env, checkout, "remote", "add", "origin", "https://host/origin")
    assert git.find_checkout(str(checkout), env).repository == "https://host/origin"


# With CI's variables and overrides


def test_ci_is_believed_before_git(checkout: Path, env: dict[str, str]) -> None:
    """CI's variables have precedence over git, field by field; the message is that of the reported
    commit."""
    first = sha(checkout, env)
    commit(checkout, env, "second")
    run(env, checkout, "remote", "add", "origin", "https://host/origin")
    job = {"DRONE": "true", "DRONE_COMMIT_SHA": first, "DRONE_COMMIT_BRANCH": "from-ci"}
    found = find_origin(str(checkout / "."), {**env, **job}).metadata
    assert found["git_branch"] == "from-ci"
    assert found["git_commit_sha"] == first
    assert found["git_commit_message"] == "first"
    assert found["git_repo"] == "https://host/origin"
    assert found["trigger"]["vendor"] == "drone"


def test_the_directory_is_the_teams_not_the_machines(
    checkout: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """The directory is relative to the root of the checkout; without git it is only the directory's
    name."""
    (checkout / "live" / "prod").mkdir(parents=True)
    assert find_origin(str(checkout / "live" / "prod"), env).directory == "live/prod"
    assert find_origin(str(checkout), env).directory == "."
    shutil.rmtree(checkout / ".git")
    assert find_origin(str(checkout / "live" / "prod"), env).directory == "prod"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("GIT_BRANCH", " main ", "main"),
        ("COST_TOTAL_MONTHLY", "12.50", "12.50"),
        ("PIPELINE_EXECUTION_NUMBER", "7", "7"),
        ("PLANNEDCHANGESCOUNT", "7", 7),
        ("ENABLE_SOLUTIONS_FACTORY", "true", True),
        ("TRIGGER", '{"a": [1.5]}', {"a": [1.5]}),
    ],
)
def test_an_override_is_the_last_word(name: str, text: str, value: object) -> None:
    """An override of metadata is converted to the field's type in the event schema; a text field
    keeps text that looks like a number."""
    found, wrong = gather_overrides({f"TFEVENTS_METADATA_{name}": text}, FIELDS)
    assert list(found.values()) == [value]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("COUNTRY", "canary"),
        ("TRIGGER", "canary"),
        ("TRIGGER", '{"a": NaN}'),
        ("TRIGGER", "[" * 100_000),
        ("RESOURCE_COUNTS", "{canary"),
    ],
)
def test_an_override_that_cannot_be_used_is_one_line(name: str, text: str) -> None:
    """An invalid override is an error that names the variable but not the value; the other
    overrides are used."""
    env = {f"TFEVENTS_METADATA_{name}": text, "TFEVENTS_METADATA_GIT_BRANCH": "main"}
    found, (error,) = gather_overrides(env, FIELDS)
    assert found == {"git_branch": "main"}
    assert str(error).startswith(f"TFEVENTS_METADATA_{name}: ")
    assert "canary" not in str(error)
