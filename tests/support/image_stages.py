"""What the image must do, each in a container of its own; every check raises AssertionError."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from support import checkout
from support.endpoint import Endpoint, Rules
from support.engines import clean_env
from support.image import Image
from support.machine import KEY, until
from support.nowhere import closed_port

USERS = {"its own user": 65532, "root": 0, "a user without a name": 4321}
ONE = 'resource "terraform_data" "a" {}\n'
SLOW = """
resource "terraform_data" "a" {
  provisioner "local-exec" { command = "touch begun; exec sleep 300" }
}
"""


def list_checks() -> Iterator[tuple[str, Callable[[Image, Path], None]]]:
    """Name and function of each check; the function gets the path of a directory that does not
    exist yet."""
    yield "what it holds", check_contents
    for name, user in USERS.items():
        yield f"a stage as {name}", partial(check_stage, user=user)
    yield "a stop", check_stop


def check_contents(image: Image, place: Path) -> None:
    """The image has its commands and the terraform that it was built with, and not what only its
    build needs."""
    at = _make_project(place)
    told = _ask(image.command(at, {}, entry=["tfevents", "--version"]))
    assert "/opt/tfevents/" in told, told
    told = _ask(image.command(at, {}, entry=["tf", "version"]))
    assert told.startswith("Terraform v"), told
    (packages,) = image.root.glob("opt/tfevents/lib/python3*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert {"tfevents", "httpx"} <= names
    assert "setuptools" not in names
    assert not [*image.root.glob("var/lib/apt/lists/*Packages*")]


def check_stage(image: Image, place: Path, user: int) -> None:
    """An apply and a plan are reported with the commit, and steps after them can read the
    outputs."""
    at = _make_project(place)
    commit = checkout.sha(at, clean_env(place / "git"))
    _give(at, user)
    with Endpoint(Rules(account="acct")) as endpoint:
        for word in ("apply", "plan"):
            env = _report_to(endpoint, PLUGIN_COMMAND=word)
            _ask(image.command(at, env, f"{user}:{user}"))
        events = endpoint.wait_for(5)
    kinds = [event["event_type"] for event in events]
    assert kinds == ["provisioning", "active", "stage-complete", "plan", "stage-complete"], kinds
    told = events[1]["metadata"]
    found = (told["git_commit_sha"], told["resource_counts"]["added"])
    assert found == (commit, 1), found
    assert "TFEVENTS_EVENT_TYPE=active" in (at / "outputs").read_text()
    assert (at / "terraform.tfstate").stat().st_uid == user


def check_stop(image: Image, place: Path) -> None:
    """SIGTERM to PID 1, as `docker stop` sends it, ends terraform as it would end alone. Events
    that can't be sent stay in the mounted home directory, and the next stage sends them."""
    at = _make_project(place)
    (at / "main.tf").write_text(SLOW)
    _give(at, 65532)
    with Endpoint(Rules(account="acct")) as endpoint, closed_port() as nowhere:
        env = _report_to(endpoint, PLUGIN_HOME="/harness/home")
        away = {**env, "PLUGIN_COMMAND": "apply", "PLUGIN_URL": nowhere}
        command = image.command(at, away)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as container:
            until((at / "begun").exists)
            children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text()
            os.kill(int(children), signal.SIGTERM)
            _, said = container.communicate(timeout=60)
        assert container.returncode == 1, said
        assert endpoint.requests == []
        _ask(image.command(at, env))
        kinds = [event["event_type"] for event in endpoint.wait_for(5)]
    assert kinds[:3] == ["provisioning", "failed", "stage-complete"], kinds
    assert kinds[4:] == ["stage-complete"], kinds


def _ask(command: list[str]) -> str:
    """stdout of a container, whose command must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _make_project(place: Path) -> Path:
    """A checkout with one commit and a main.tf."""
    place.mkdir()
    at = checkout.make(place / "project", clean_env(place / "git"))
    (at / "main.tf").write_text(ONE)
    return at


def _give(project: Path, user: int) -> None:
    """Makes the user the owner of all files, as if that user had cloned the project."""
    for folder, _, files in os.walk(project):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, user, user)


def _report_to(endpoint: Endpoint, **more: str) -> dict[str, str]:
    """The variables that a step of a pipeline sets to report to the endpoint."""
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
