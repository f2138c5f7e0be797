"""Branch, commit and message of a run where CI's variables and the checkout differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checkout import commit, make, run, sha
from support.engines import clean_env

from tfevents.context.origin import find_origin

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"}
JENKINS = {"BUILD_TAG": "jenkins-infra-PR-2-1", "JOB_NAME": "infra/PR-2", "CHANGE_ID": "2"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A clean environment for git."""
    return clean_env(tmp_path / "user")


@pytest.fixture
def origin(tmp_path: Path, env: dict[str, str]) -> Path:
    """A repository with `main`, and with a pull request number 2 from `changes` that GitHub has
    merged."""
    at = make(tmp_path / "origin", env)
    base = commit(at, env, "meanwhile")
    run(env, at, "checkout", "-q", "-b", "changes", "HEAD~")
    head = commit(at, env, "the head's own message\n\nwith a body")
    run(env, at, "checkout", "-q", "--detach", "main")
    run(env, at, "merge", "-q", "--no-ff", "-m", f"Merge {head} into {base}", "changes")
    run(env, at, "update-ref", "refs/pull/2/merge", "HEAD")
    run(env, at, "checkout", "-q", "main")
    return at


@pytest.fixture
def work(tmp_path: Path, env: dict[str, str], origin: Path) -> Path:
    """A repository without commits whose remote is `origin`, as on a CI agent."""
    at = tmp_path / "work"
    at.mkdir()
    run(env, at, "init", "-q")
    run(env, at, "remote", "add", "origin", origin.as_uri())
    return at


def fetch(env: dict[str, str], work: Path, refspec: str, *options: str) -> str:
    """Checks out a detached ref below `refs/remotes`, as actions/checkout and Azure's agent do;
    returns its commit."""
    run(env, work, "fetch", "-q", *options, "origin", f"+{refspec}")
    run(env, work, "checkout", "-q", "--detach", refspec.partition(":")[2])
    return sha(work, env)


PULL = "refs/pull/2/merge:refs/remotes/pull/2/merge"


def test_the_head_of_a_pull_request_is_known_without_an_event_file(
    env: dict[str, str], origin: Path, work: Path
) -> None:
    """A pull request's head is found as a parent of the merge commit, even if actions/checkout
    fetched only that commit."""
    merge = fetch(env, work, PULL, "--depth=1")
    job = {**GITHUB, "GITHUB_REF": "refs/pull/2/merge", "GITHUB_SHA": merge}
    found = find_origin(str(work), {**env, **job}).metadata
    assert found["git_commit_sha"] == sha(origin, env, "changes")
    assert "git_commit_message" not in found  # the head is not in the clone
    run(env, work, "fetch", "-q", "--unshallow")
    found = find_origin(str(work), {**env, **job}).metadata
    assert found["git_commit_message"] == "the head's own message\n\nwith a body"


@pytest.mark.parametrize("job", [{}, {"CI": "true"}, {**GITHUB, "GITHUB_REF": PULL}], ids=str)
def test_the_ref_of_a_pull_request_is_no_branch(
    env: dict[str, str], work: Path, job: dict[str, str]
) -> None:
    """A pull request's ref such as `2/merge` is not reported as a branch, whether CI's variables or
    git gave it."""
    fetch(env, work, PULL)
    assert "git_branch" not in find_origin(str(work), {**env, **job}).metadata


def test_beside_it_the_one_branch_that_is_here_is_found(env: dict[str, str], work: Path) -> None:
    """If the refs of a pull request and one branch have the same commit, that branch is
    reported."""
    for name in ("origin/changes", "origin/pr/2/head", "origin/pull/2", "merge-requests/2/head"):
        run(env, work, "fetch", "-q", "origin", f"+changes:refs/remotes/{name}")
    fetch(env, work, "changes:refs/remotes/pull/2/head")
    assert find_origin(str(work), env).metadata["git_branch"] == "changes"


def test_jenkins_merges_by_itself(env: dict[str, str], origin: Path, work: Path) -> None:
    """If Jenkins has merged a pull request on the agent, the merge's second parent is reported, not
    the merge itself."""
    fetch(env, work, "main:refs/remotes/origin/main")
    run(env, work, "fetch", "-q", "origin", "+changes:refs/remotes/origin/PR-2")
    head = sha(origin, env, "changes")
    run(env, work, "merge", "-q", "--no-edit", head)
    job = {**JENKINS, "GIT_COMMIT": sha(work, env), "CHANGE_BRANCH": "changes"}
    found = find_origin(str(work), {**env, **job}).metadata
    assert found["git_commit_sha"] == head
    assert found["git_commit_message"] == "the head's own message\n\nwith a body"
    assert found["git_branch"] == "changes"


def test_a_persons_merge_into_a_pull_request_is_its_head(
    env: dict[str, str], origin: Path, work: Path
) -> None:
    """A merge of `main` that is itself the head of a pull request is reported like any other
    commit."""
    run(env, origin, "checkout", "-q", "changes")
    run(env, origin, "merge", "-q", "--no-edit", "main")
    head = fetch(env, work, "changes:refs/remotes/origin/PR-2")
    job = {**JENKINS, "GIT_COMMIT": head, "CHANGE_BRANCH": "changes"}
    found = find_origin(str(work), {**env, **job}).metadata
    assert found["git_commit_sha"] == head
    assert found["git_commit_message"] == "Merge branch 'main' into changes"


def test_a_message_is_the_commits_own(env: dict[str, str], origin: Path, work: Path) -> None:
    """The message comes from git, not from CI: Drone and Woodpecker fill theirs in from the hook (a
    pull request's title or body). CI's message is used if git does not have the commit."""
    head = fetch(env, work, "changes:refs/remotes/origin/changes")
    fetch(env, work, "main:refs/remotes/origin/main")
    job = {"DRONE": "true", "DRONE_BUILD_EVENT": "pull_request", "DRONE_PULL_REQUEST": "2"}
    job |= {"DRONE_COMMIT_SHA": head, "DRONE_COMMIT_MESSAGE": "The title"}
    found = find_origin(str(work), {**env, **job}).metadata
    assert found["git_commit_sha"] == head
    assert found["git_commit_message"] == "the head's own message\n\nwith a body"
    elsewhere = {**job, "DRONE_COMMIT_SHA": "f" * 40}
    assert (
        find_origin(str(work), {**env, **elsewhere}).metadata["git_commit_message"] == "The title"
    )


def test_the_message_of_a_merge_is_not_its_heads(
    env: dict[str, str], origin: Path, work: Path
) -> None:
    """If a vendor gives GitHub's merge commit instead of the head, the merge's message is not
    reported for the head."""
    merge = fetch(env, work, PULL, "--depth=1")
    job = {"CF_BUILD_ID": "1", "CF_PULL_REQUEST_NUMBER": "2", "CF_BRANCH": "changes"}
    job |= {"CF_REVISION": merge, "CF_COMMIT_MESSAGE": "Merge the one into the other"}
    found = find_origin(str(work), {**env, **job}).metadata
    assert found["git_commit_sha"] == sha(origin, env, "changes")
    assert "git_commit_message" not in found


def test_a_comment_is_on_what_the_job_checks_out(
    env: dict[str, str], origin: Path, work: Path, tmp_path: Path
) -> None:
    """For a run that a comment triggers, branch and commit come from the checkout: CI's variables
    only give the default branch. Without a checkout, the variables are used."""
    event = tmp_path / "event.json"
    event.write_text('{"issue": {"number": 2, "pull_request": {"url": "https://api/pulls/2"}}}')
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "issue_comment"}
    job |= {"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": sha(origin, env, "main")}
    job |= {"GITHUB_EVENT_PATH": str(event)}
    head = fetch(env, work, "changes:refs/remotes/origin/changes")
    found = find_origin(str(work), {**env, **job}).metadata
    assert (found["git_branch"], found["git_commit_sha"]) == ("changes", head)
    assert found["trigger"]["pull_request"] == "2"
    alone = find_origin(str(tmp_path), {**env, **job}).metadata
    assert (alone["git_branch"], alone["git_commit_sha"]) == ("main", job["GITHUB_SHA"])


def test_a_short_hash_is_made_whole(env: dict[str, str], work: Path) -> None:
    """Scalr's shortened hash is completed if it is that of the checked out commit; another hash is
    reported unchanged."""
    head = fetch(env, work, "changes:refs/remotes/origin/changes")
    for told, whole in ((head[:7], head), ("0123abc", "0123abc")):
        job = {"SCALR_RUN_ID": "run-1", "SCALR_RUN_VCS_COMMIT": told}
        assert find_origin(str(work), {**env, **job}).metadata["git_commit_sha"] == whole


def test_a_tag_has_no_branch_whatever_is_checked_out(env: dict[str, str], work: Path) -> None:
    """If CI built a tag, no branch is reported, although the checked out commit is also the head of
    `main`."""
    head = fetch(env, work, "main:refs/remotes/origin/main")
    tags = [
        {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/tags/v1", "GITHUB_SHA": head},
        {"GITLAB_CI": "true", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"},
        {"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/tags/v1"},
        {"BUILD_TAG": "jenkins-a-1", "GIT_BRANCH": "refs/tags/v1"},
    ]
    for job in tags:
        found = find_origin(str(work), {**env, **job}).metadata
        assert "git_branch" not in found
        assert found["git_commit_sha"] == head


def test_a_remote_keeps_its_password_to_itself(env: dict[str, str], work: Path) -> None:
    """A token in the remote's address, as GitLab's runner writes it, is not in the reported
    address."""
    fetch(env, work, "main:refs/remotes/origin/main")
    address = "https://gitlab-ci-token:glcbt-64_SECRET@gitlab.example.com/acme/infra.git"
    run(env, work, "remote", "set-url", "origin", address)
    found = find_origin(str(work), env).metadata
    assert found["git_repo"] == "https://gitlab.example.com/acme/infra.git"
    job = {"GITLAB_CI": "true", "CI_REPOSITORY_URL": address}
    assert find_origin(str(work), {**env, **job}).metadata["git_repo"] == found["git_repo"]
