"""Secrets do not leak: canaries stand wherever a secret can be, and none may be in a request, a
message or a file of tfevents."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import Machine, kill, types, until
from support.nowhere import closed_port
from support.step import NORMAL, Step, answer, echo

CONFIG = """
terraform {
  backend "local" {}
}
variable "argv" { type = string }
variable "env" { type = string }
variable "file" {
  type      = string
  sensitive = true
}
variable "fail" { default = "" }
locals {
  all = "canary-local-value ${var.argv} ${var.env} ${nonsensitive(var.file)}"
}
resource "terraform_data" "canary-resource-name" {
  input = local.all
}
resource "terraform_data" "each" {
  for_each         = toset(["canary-for-each-key", var.env])
  input            = sensitive("canary-sensitive-attribute")
  triggers_replace = ["canary-trigger", each.key]
}
resource "terraform_data" "says" {
  input = "canary-exec-input"
  provisioner "local-exec" {
    command     = "echo canary-exec-output; echo canary-exec-error >&2; ${var.fail}"
    environment = { SECRET = "canary-exec-environment" }
  }
}
output "canary-output-name" { value = "canary-output-value" }
output "hidden" {
  value     = "canary-hidden-output"
  sensitive = true
}
check "canary-check-name" {
  assert {
    condition     = var.argv == ""
    error_message = "canary-check-message ${var.argv}"
  }
}
"""
KEYS = ("pat.acct.canary-token-a.canary-secret-a", "sat.acct.canary-token-b.canary-secret-b")


class Place:
    """A project full of canaries, in a git checkout whose remote's address has a password."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.at = machine, machine.project("project", CONFIG)
        (self.at / "terraform.tfvars").write_text('file = "canary-tfvars-value"\n')
        git = ["git", "-C", str(self.at)]
        remote = "https://canary-git-user:canary-git-password@host.example/a/b.git"
        for words in (["init", "-q"], ["remote", "add", "origin", remote]):
            subprocess.run([*git, *words], env=machine.env, check=True)
        subprocess.run(
            [*git, "commit", "-q", "--allow-empty", "-m", "a commit"], env=machine.env, check=True
        )
        self.env = {"TF_VAR_env": "canary-tf-var"}
        init = ["init", "-input=false", "-backend-config=path=canary-backend.tfstate"]
        done = machine.tf(*init, at=self.at)
        assert done.returncode == 0, done.stderr
        self.said: list[str] = []

    def tf(self, *words: str, env: dict[str, str], code: int) -> None:
        """Runs `tf`, asserts its exit code, and keeps the one line that tfevents writes to stderr
        in `said`."""
        argv = (*words, "-input=false", "-no-color", "-var=argv=canary-argv-value")
        done = self.machine.tf(*argv, at=self.at, env={**self.env, **env})
        assert done.returncode == code, done.stderr
        ours = [line for line in done.stderr.splitlines() if "tfevents:" in line]
        assert len(ours) == 1
        self.said += ours

    def life(self, env: dict[str, str]) -> None:
        """Runs a plan, an apply that fails, a saved plan and its apply, a refresh-only plan, a
        destroy, and a plan of an invalid configuration."""
        self.tf("plan", env=env, code=0)
        self.tf("apply", "-auto-approve", "-var=fail=exit 7", env=env, code=1)
        self.tf("plan", "-out=canary-plan-name", "-detailed-exitcode", env=env, code=2)
        done = self.machine.tf("apply", "canary-plan-name", at=self.at, env={**self.env, **env})
        assert done.returncode == 0, done.stderr
        self.said += [line for line in done.stderr.splitlines() if "tfevents:" in line]
        self.tf("plan", "-refresh-only", env=env, code=0)
        self.tf("destroy", "-auto-approve", env=env, code=0)
        (self.at / "main.tf").write_text('nonsense = "canary-nonsense"\n')
        self.tf("plan", env=env, code=1)
        (self.at / "main.tf").write_text(CONFIG)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new `Place`."""
    return Place(Machine(tmp_path))


def forms() -> list[bytes]:
    """The encodings of a canary that are searched for: plain, upper case, UTF-16, base64 and
    hexadecimal."""
    text = "canary-"
    wide, coded = text.encode("utf-16-le"), base64.b64encode(b"canary")
    return [text.encode(), text.upper().encode(), wide, coded, text.encode().hex().encode()]


def search(name: str, content: bytes) -> None:
    """Asserts that `content` has no canary; `name` is for the message."""
    for form in forms():
        at = content.find(form)
        assert at < 0, (name, content[max(0, at - 80) : at + 80])


def search_all(place: Place, *endpoints: Endpoint) -> None:
    """Searches every request's body, path and headers (but for the API key's own), every line in
    `place.said`, and the names and contents of all files of tfevents."""
    machine = place.machine
    for endpoint in endpoints:
        for request in endpoint.requests:
            search("body", request.body)
            search("target", request.target.encode())
            headers = {n: v for n, v in request.headers.items() if n != "x-api-key"}
            search("headers", json.dumps(headers).encode())
    for line in place.said:
        search("line", line.encode())
    for root in (machine.home, Path(machine.env["TMPDIR"]), machine.root / "user" / ".config"):
        for path in root.rglob("*"):
            search("name", os.fsencode(path.relative_to(root)))
            if path.is_file():
                search(str(path), path.read_bytes())


def test_the_search_finds_what_it_is_for(place: Place) -> None:
    """The search finds the canaries in terraform's own state file."""
    place.tf("apply", "-auto-approve", env={}, code=0)
    with pytest.raises(AssertionError, match="canary"):
        search("state", (place.at / "canary-backend.tfstate").read_bytes())


@pytest.mark.exhaustive
@pytest.mark.parametrize("service", exhaustive_except(["takes", "refuses", "busy"], "refuses"))
def test_nothing_leaks_whatever_the_service_does(
    place: Place, endpoint: Endpoint, service: str
) -> None:
    """No secret leaks when the server records the events, nor when its error response (400 or 503)
    repeats the request's body and API key."""
    step: Step = {"takes": NORMAL, "refuses": echo(400), "busy": echo(503)}[service]
    endpoint.always(step)
    env = place.machine.reporting_to(
        endpoint.url, TFEVENTS_API_KEY=KEYS[0], TFEVENTS_TIMEOUT="2", HARNESS_API_KEY=KEYS[1]
    )
    place.life(env)
    assert len(endpoint.requests) >= 7
    search_all(place, endpoint)
    if service == "takes":
        wanted = [
            "apply_needed",
            "provisioning",
            "failed",
            "apply_needed",
            "provisioning",
            "active",
        ]
        assert types(endpoint.events) == [*wanted, "plan", "destroying", "inactive", "failed"]
        repositories = {e["metadata"].get("git_repo") for e in endpoint.events}
        assert "https://host.example/a/b.git" in repositories
        assert {r.headers["x-api-key"] for r in endpoint.requests} == {KEYS[0]}


@pytest.mark.exhaustive
def test_nothing_leaks_into_the_journal(place: Place) -> None:
    """The journal holds no secret after a run of each kind whose events could not be sent."""
    with closed_port() as url:
        place.life(place.machine.reporting_to(url, TFEVENTS_API_KEY=KEYS[0]))
    assert len(place.machine.statuses()) == 10
    search_all(place)


@pytest.mark.parametrize(
    "where", exhaustive_except(["file", "harness", "config", "shared"], "shared")
)
def test_a_key_leaks_from_nowhere(place: Place, endpoint: Endpoint, where: str) -> None:
    """An API key does not leak from a key file, from HARNESS_API_KEY, from the user's settings
    file, or from a checkout's settings file beside the user's."""
    machine = place.machine
    env = machine.reporting_to(endpoint.url)
    env.pop("TFEVENTS_API_KEY")
    config = machine.root / "user" / ".config" / "tfevents"
    config.mkdir(parents=True)
    if where == "file":
        (machine.root / "key").write_text(KEYS[0] + "\n")
        env["TFEVENTS_API_KEY_FILE"] = str(machine.root / "key")
    elif where == "harness":
        env["HARNESS_API_KEY"] = KEYS[0]
    else:
        (config / "config.hcl").write_text(f'harness {{\n  api_key = "{KEYS[0]}"\n}}\n')
    if where == "shared":
        (place.at / ".tfevents.hcl").write_text(f'harness {{\n  api_key = "{KEYS[1]}"\n}}\n')
    endpoint.script(answer(401, f"key {KEYS[0]} is expired"))
    for _ in range(2):
        place.tf("plan", env=env, code=0)
    assert [r.headers["x-api-key"] for r in endpoint.requests] == [KEYS[0]] * 3
    if where == "shared":
        assert ".tfevents.hcl, line 2, api_key is not used: " in place.said[0]
    (config / "config.hcl").unlink(missing_ok=True)
    search_all(place, endpoint)


def test_a_run_that_is_killed_leaves_nothing_behind(place: Place, endpoint: Endpoint) -> None:
    """A killed run leaves no secret in its run folder: the core log, which is full of values, has
    no file name while terraform writes it. No process has the API key on its command line."""
    machine = place.machine
    env = {**place.env, **machine.reporting_to(endpoint.url, TFEVENTS_API_KEY=KEYS[0])}
    wait = "-var=fail=echo begun; while [ ! -e go ]; do sleep 0.05; done"
    words = ("apply", "-auto-approve", "-var=argv=canary-argv-value", wait)
    run = machine.start(*words, at=place.at, env=env)
    until(lambda: "begun" in (place.at / "out").read_text())
    endpoint.wait_for(1, 60)
    (folder,) = [path.parent for path in (machine.home / "runs").glob("*/run")]  # not the sender's
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in folder.iterdir()} == {"lock", "run"}
    for path in folder.iterdir():
        search(path.name, path.read_bytes())
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended
            assert KEYS[0].encode() not in process.read_bytes()
    kill(run)
    place.tf("plan", "-lock=false", env=machine.reporting_to(endpoint.url), code=0)
    assert "killed" in json.dumps(endpoint.wait_for(3))
    search_all(place, endpoint)


def test_flush_leaks_no_key(place: Place, endpoint: Endpoint) -> None:
    """`flush` and `flush --refused` leak no API key when the server's error response repeats it."""
    machine = place.machine
    env = machine.reporting_to(endpoint.url, TFEVENTS_API_KEY=KEYS[0])
    with closed_port() as url:
        place.tf("plan", env={**env, "TFEVENTS_URL": url}, code=0)
    endpoint.script(echo(401), echo(400))
    for words in ((), (), ("--refused",)):
        done = machine.flush(env, *words)
        place.said += [done.stdout, done.stderr]
    assert types(endpoint.events) == ["apply_needed"]
    search_all(place, endpoint)
