"""The files of `hooks/`: they match their hosts' schemas, begin with instructions and are in the
README."""

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
"""File → the name of its host's schema in the package check-jsonschema."""

FOLDERS = {
    *("terragrunt", "atlantis", "github", "gitlab", "jenkins", "azure", "circleci", "buildkite"),
    *("bitbucket", "spacelift", "scalr", "env0", "hcp-terraform", "terramate", "digger", "make"),
}
FILES = sorted(path for path in HOOKS.rglob("*") if path.is_file() and path.parent != HOOKS)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_file_is_what_its_hosts_schema_asks_for(name: str) -> None:
    """A file matches its host's schema, which is part of check-jsonschema; nothing is
    downloaded."""
    pytest.importorskip("check_jsonschema")
    schema = f"vendor.{SCHEMAS[name]}"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    done = subprocess.run([*command, HOOKS / name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_there_is_a_folder_for_each_host() -> None:
    """Each host has a folder in `hooks/`; Terragrunt's has one file, root.hcl, which units
    include."""
    assert {path.name for path in HOOKS.iterdir() if path.is_dir()} == FOLDERS
    assert [path.name for path in (HOOKS / "terragrunt").iterdir()] == ["root.hcl"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOOKS)))
def test_a_file_begins_with_three_lines_of_instructions(path: os.PathLike[str]) -> None:
    """Each file begins with exactly three comment lines in its own language, after a #! line if it
    has one."""
    with open(path) as file:
        lines = [line for line in file.read().splitlines() if not line.startswith("#!")]
    assert all(re.match(r"(#|//) +\S", line) for line in lines[:3])
    assert not re.match("#|//", lines[3])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOOKS)))
def test_the_readme_has_each_file(path: os.PathLike[str]) -> None:
    """The table of hooks/README.md links each file."""
    readme = (HOOKS / "README.md").read_text()
    assert f"]({os.path.relpath(path, HOOKS)})" in readme


def test_the_readme_has_each_variable_that_is_read_for_hooks() -> None:
    """hooks/README.md has every environment variable that hook_hosts.py reads."""
    source = (HOOKS.parent / "tfevents/hosts/hook_hosts.py").read_text()
    readme = (HOOKS / "README.md").read_text()
    names = re.findall(
        r'"((?:[A-Z][A-Z0-9]*_)+\w*[A-Za-z0-9]|PLANFILE|SHOWFILE|WORKSPACE)"', source
    )
    assert len(names) > 20
    assert [name for name in names if f"`{name}`" not in readme] == []


def test_the_commit_hook_of_contributors_runs_what_ci_runs() -> None:
    """Every command in .pre-commit-config.yaml is a line of .ci/run."""
    config = yaml.safe_load((HOOKS.parent / ".pre-commit-config.yaml").read_text())
    ci = (HOOKS.parent / ".ci/run").read_text().splitlines()
    ((hooks,),) = [[repo["hooks"]] for repo in config["repos"]]
    assert [hook["entry"] for hook in hooks if hook["entry"] not in ci] == []
    assert all(hook["language"] == "system" for hook in hooks)
