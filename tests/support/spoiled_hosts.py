"""Environments that no host of hooks would make, for fuzz tests.

They may have every variable of a host that is read, and of the CI that it runs in; each value is a
word that it may have, a path to something odd, or an unexpected text. `SECRET` is the value of
variables that must not be reported.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from support.spoiled_text import spoil_text

SECRET = "CANARY"
OTHERS = {
    "TFEVENTS_API_KEY": f"pat.acc.id.{SECRET}",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "TF_VAR_password": SECRET,
    "ENV0_API_KEY": SECRET,
}
MARKERS: dict[str, tuple[str, ...]] = {
    "TG_CTX_COMMAND": ("TG_CTX_TF_PATH", "TG_CTX_TERRAGRUNT_DIR"),
    "ATLANTIS_TERRAFORM_VERSION": (
        *("PLANFILE", "SHOWFILE", "WORKSPACE", "COMMAND_NAME", "COMMAND_HAS_ERRORS"),
        *("BASE_REPO_OWNER", "BASE_REPO_NAME", "PULL_NUM", "ATLANTIS_TERRAFORM_DISTRIBUTION"),
    ),
    "COMMAND_HAS_ERRORS": ("COMMAND_NAME", "BASE_REPO_OWNER", "PULL_NUM"),
    "TF_VAR_spacelift_run_id": (
        *("TF_VAR_spacelift_run_type", "TF_VAR_spacelift_final_run_state"),
        "TF_VAR_spacelift_project_root",
    ),
    "SCALR_RUN_ID": (
        *("SCALR_TERRAFORM_OPERATION", "SCALR_TERRAFORM_EXIT_CODE"),
        *("SCALR_RUN_IS_DESTROY", "SCALR_RUN_MODE"),
    ),
    "ENV0_DEPLOYMENT_TYPE": ("ENV0_TF_PLAN_JSON", "ENV0_WORKSPACE_NAME", "ENV0_DEPLOYMENT_LOG_ID"),
    "DIGGER_PLANFILE": (),
    "BUILDKITE": ("BUILDKITE_COMMAND_EXIT_STATUS", "BUILDKITE_BUILD_ID"),
    "CI": ("BITBUCKET_EXIT_CODE", "BITBUCKET_BUILD_NUMBER"),
    "GITLAB_CI": ("CI_JOB_STATUS", "CI_PIPELINE_ID"),
    "TF_BUILD": ("AGENT_JOBSTATUS", "BUILD_BUILDID"),
    "JENKINS_URL": ("BUILD_TAG", "JOB_NAME"),
}
"""A variable by which a host or a CI is recognised → the others that are read then."""
ANYWHERE = ("TF_WORKSPACE", "TF_DATA_DIR", "TF_CLI_ARGS_plan", "TF_CLI_ARGS_apply", "PATH", "HOME")
WORDS = (
    *("plan", "apply", "destroy", "refresh", "import", "output", "true", "false", "tf", "default"),
    *("DESTROY", "FAILED", "STOPPED", "refresh", "skip_refresh", "success", "failed", "Succeeded"),
    *("0", "1", "2", "130", "True", "1.9.8", "-out=x", "-destroy", "."),
)
ODD = (
    *("", " ", "-", "-1", "1e9", "\u0661", "9" * 20, "9" * 6000, "x" * 5000, "é" * 3000),
    *(
        "\udcff",
        "\udcff\udcfe" * 3000,
        "\x1b]0;title\x07",
        "\r\n\t\x01\x7f",
        "\u2028\u202e",
        "{" * 9000,
    ),
    *("/" * 5000, "../" * 2000, "/proc/self/environ", "/dev/zero", "/dev/stdin", "/dev/fd/0"),
)


def make_paths(place: Path) -> list[str]:
    """Makes a FIFO, a directory, a loop of links, an empty, a broken and an unreadable file;
    returns their paths, and paths that do not exist."""
    os.mkfifo(place / "fifo")
    (place / "folder").mkdir()
    (place / "loop").symlink_to("loop")
    (place / "empty").touch()
    (place / "broken").write_bytes(b'PK\x03\x04{"format_version": "1.2", \xff')
    (place / "sealed").touch(0)
    names = ("fifo", "folder", "loop", "empty", "broken", "sealed", "missing", "empty/below")
    return [*names, *(str(place / name) for name in names)]


def make_environment(dice: random.Random, paths: Sequence[str]) -> dict[str, str]:
    """The variables of one or two hosts, some of them missing."""
    env = {name: OTHERS[name] for name in OTHERS if dice.random() < 0.8}
    for marker in dice.sample([*MARKERS], dice.randint(1, 2)):
        names = [name for name in MARKERS[marker] if dice.random() < 0.7]
        names += [name for name in ANYWHERE if dice.random() < 0.1]
        env |= {name: _make_value(dice, paths) for name in (marker, *names)}
    return env


def _make_value(dice: random.Random, paths: Sequence[str]) -> str:
    value = dice.choice((dice.choice(WORDS), dice.choice(paths), dice.choice(ODD)))
    spoiled = spoil_text(value, dice) if dice.random() < 0.3 else value
    return spoiled.replace("\0", "")  # no environment variable can contain it
