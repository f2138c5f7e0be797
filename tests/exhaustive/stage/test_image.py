"""The image, built for real from the repository's Dockerfile and run as an engine runs it: PID 1,
any user, a read-only root, nothing of this machine but its network.

Skipped where buildah or debootstrap is missing.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from support import checkout
from support.endpoint import Endpoint, Rules
from support.engines import clean_env
from support.image import Image, build_image, need_tools
from support.machine import KEY, until

ONE = 'resource "terraform_data" "a" {}\n'
SLOW = """
resource "terraform_data" "a" {
  provisioner "local-exec" { command = "touch begun; exec sleep 300" }
}
"""


@pytest.mark.timeout(1500)
def test_it_is_built_and_runs(tmp_path: Path) -> None:
    """Built once, for that takes minutes."""
    need_tools()
    with build_image() as image:
        check_contents(image, make_project(tmp_path / "version"))
        for user in (65532, 0, 4321):
            check_stage(image, make_project(tmp_path / str(user)), user)
        check_stop(image, make_project(tmp_path / "stop"))


def make_project(at: Path) -> Path:
    """A checkout with one commit."""
    checkout.make(at, clean_env(at.parent / "git"))
    (at / "main.tf").write_text(ONE)
    return at


def report_to(endpoint: Endpoint, **more: str) -> dict[str, str]:
    """What a step of a pipeline sets."""
    return {
        "PLUGIN_URL": endpoint.url,
        "PLUGIN_API_KEY": KEY,
        "PLUGIN_ORG": "default",
        "PLUGIN_PROJECT": "infra",
        "PLUGIN_WORKSPACE": "prod",
        "DRONE_OUTPUT": "/harness/outputs",
        "CHECKPOINT_DISABLE": "1",
        **more,
    }


def give(project: Path, user: int) -> None:
    """As if the user had cloned it."""
    for folder, _, files in os.walk(project):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, user, user)


def check_contents(image: Image, project: Path) -> None:
    """Its commands are found, with the terraform that it was built with; what only
    its building needs is gone."""
    command = image.command(project, {}, entry=["tfevents", "--version"])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "/opt/tfevents/" in done.stdout
    command = image.command(project, {}, entry=["tf", "version"])
    assert subprocess.run(command, capture_output=True, check=False).stdout.startswith(b"Terraform")
    (packages,) = image.root.glob("opt/tfevents/lib/python3*/site-packages")
    assert {"tfevents", "httpx"} <= {path.name for path in packages.iterdir()}
    assert not (packages / "setuptools").exists()
    assert not [*image.root.glob("var/lib/apt/lists/*Packages*")]


def check_stage(image: Image, project: Path, user: int) -> None:
    """An apply and a plan, reported with the commit, and the steps after it read what was done."""
    commit = checkout.sha(project, clean_env(project.parent / "git"))
    give(project, user)
    with Endpoint(Rules(account="acct")) as endpoint:
        for word in ("apply", "plan"):
            env = report_to(endpoint, PLUGIN_COMMAND=word)
            command = image.command(project, env, f"{user}:{user}")
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        events = endpoint.wait_for(5)
    kinds = [event["event_type"] for event in events]
    assert kinds == ["provisioning", "active", "stage-complete", "plan", "stage-complete"]
    told = events[1]["metadata"]
    assert (told["git_commit_sha"], told["resource_counts"]["added"]) == (commit, 1)
    assert "TFEVENTS_EVENT_TYPE=active" in (project / "outputs").read_text()
    assert (project / "terraform.tfstate").stat().st_uid == user


def check_stop(image: Image, project: Path) -> None:
    """SIGTERM to PID 1, as `docker stop` sends it, ends terraform as its own would; the failure is
    reported before the container is gone."""
    (project / "main.tf").write_text(SLOW)
    give(project, 65532)
    with Endpoint(Rules(account="acct")) as endpoint:
        env = report_to(endpoint, PLUGIN_COMMAND="apply")
        container = subprocess.Popen(image.command(project, env), stderr=subprocess.PIPE, text=True)
        until((project / "begun").exists)
        children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text()
        os.kill(int(children), signal.SIGTERM)
        _, said = container.communicate(timeout=60)
        assert container.returncode == 1, said
        events = endpoint.wait_for(3)
    assert [one["event_type"] for one in events] == ["provisioning", "failed", "stage-complete"]
