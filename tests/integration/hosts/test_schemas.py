"""The files of `hooks/` are what their hosts' schemas ask for, and begin with their use."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml
from support.paths import HOOKS

SCHEMAS = {
    "github/action.yml": "github-actions",
    "gitlab/tfevents.gitlab-ci.yml": "gitlab-ci",
    "azure/terraform.yml": "azure-pipelines",
    "circleci/config.yml": "circle-ci",
    "buildkite/pipeline.yml": "buildkite",
    "bitbucket/bitbucket-pipelines.yml": "bitbucket-pipelines",
}
"""A file → its host's schema, as the package check-jsonschema carries it."""

FOLDERS = {
    *("terragrunt", "atlantis", "github", "gitlab", "jenkins", "azure", "circleci", "buildkite"),
    *("bitbucket", "spacelift", "scalr", "env0", "hcp-terraform", "terramate", "digger", "make"),
}
FILES = sorted(path for path in HOOKS.rglob("*") if path.is_file() and path.parent != HOOKS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_file_is_what_its_hosts_schema_asks_for(name: str) -> None:
    """The schema comes with the package; nothing is downloaded."""
    pytest.importorskip("check_jsonschema")
    schema = f"vendor.{SCHEMAS[name]}"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, HOOKS / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_there_is_a_folder_for_each_host() -> None:
    """And Terragrunt's holds one file, the root that units include."""
    assert {path.name for path in HOOKS.iterdir() if path.is_dir()} == FOLDERS
    assert [path.name for path in (HOOKS / "terragrunt").iterdir()] == ["root.hcl"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOOKS)))
def test_a_file_begins_with_three_lines_of_instructions(path: os.PathLike[str]) -> None:
    """Comments in the file's own language, after a #! where there is one."""
    with open(path) as file:
        lines = [line for line in file.read().splitlines() if not line.startswith("#!")]
    assert all(re.match(r"(#|//) +\S", line) for line in lines[:3])
    assert not re.match("#|//", lines[3])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOOKS)))
def test_the_readme_has_each_file(path: os.PathLike[str]) -> None:
    """Its table links it."""
    readme = (HOOKS / "README.md").read_text()
    assert f"]({os.path.relpath(path, HOOKS)})" in readme


def test_the_readme_has_each_variable_that_is_read_for_hooks() -> None:
    """What hook_hosts.py reads is documented, with a link."""
    source = (HOOKS.parent / "tfevents/hosts/hook_hosts.py").read_text()
    readme = (HOOKS / "README.md").read_text()
    names = re.findall(
        r'"((?:[A-Z][A-Z0-9]*_)+\w*[A-Za-z0-9]|PLANFILE|SHOWFILE|WORKSPACE)"', source
    )
    assert len(names) > 20
    assert [name for name in names if f"`{name}`" not in readme] == []


def test_the_commit_hook_of_contributors_runs_what_ci_runs() -> None:
    """Each of its commands is a line of CI's script."""
    config = yaml.safe_load((HOOKS.parent / ".pre-commit-config.yaml").read_text())
    ci = (HOOKS.parent / ".ci/run").read_text().splitlines()
    ((hooks,),) = [[repo["hooks"]] for repo in config["repos"]]
    assert [hook["entry"] for hook in hooks if hook["entry"] not in ci] == []
    assert all(hook["language"] == "system" for hook in hooks)
