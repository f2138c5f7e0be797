"""The image, without a container engine: the Dockerfile's steps are run in a clean environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.engines import terraform
from support.paths import ROOT

DOCKERFILE = ROOT / "Dockerfile"


@dataclass(frozen=True)
class Step:
    """An instruction of the Dockerfile, and its build stage."""

    stage: str
    word: str
    rest: str


def steps() -> list[Step]:
    """The Dockerfile's instructions, with continued lines joined and without comments."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line.strip()]
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    found: list[Step] = []
    stage = ""
    for line in text.replace("\\\n", " ").splitlines():
        word, rest = line.split(None, 1)
        if word == "FROM":
            stage = rest.split(" AS ")[-1] if " AS " in rest else "final"
        found.append(Step(stage, word, rest))
    return found


def of(stage: str, word: str) -> Iterator[str]:
    """The arguments of a build stage's instructions of this kind."""
    return (step.rest for step in steps() if (step.stage, step.word) == (stage, word))


@pytest.mark.parametrize("file", ["Dockerfile", "samples/relay/Dockerfile"])
def test_every_base_is_pinned(file: str) -> None:
    """Every base image is an ARG whose default has a release and a digest."""
    text = (ROOT / file).read_text()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    given = dict(re.findall(r"^ARG (\w+_IMAGE)=(\S+)", text, re.MULTILINE))
    assert bases
    for base in bases:
        assert re.search(r":\d+\.\d+\.\d+.*@sha256:[0-9a-f]{64}$", given[base[2:-1]]), base


def test_all_that_is_installed_has_a_hash() -> None:
    """requirements.txt pins every dependency of setup.cfg with a hash, in a version that setup.cfg
    allows, and pip requires the hashes."""
    pins = re.findall(
        r"^([a-z0-9-]+)==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$",
        (ROOT / "requirements.txt").read_text(),
        re.MULTILINE,
    )
    pinned = {name: version for name, version, _ in pins}
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    wanted = map(Requirement, config["options"]["install_requires"].strip().splitlines())
    for requirement in wanted:
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier
    (run,) = of("build", "RUN")
    assert "pip install --no-cache-dir --require-hashes -r requirements.txt" in run


def test_it_runs_as_nobody_and_starts_the_plugin() -> None:
    """The image runs `tfevents plugin` as an unprivileged user, given by number, so that an engine
    can check that the user is not root."""
    (user,) = of("final", "USER")
    assert all(int(part) > 1000 for part in user.split(":"))
    (entry,) = of("final", "ENTRYPOINT")
    assert json.loads(entry) == ["tfevents", "plugin"]


def test_only_what_is_needed_is_copied() -> None:
    """The Dockerfile copies only files that git tracks, and neither tests, samples, hooks nor
    history."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    copied = [source for rest in of("build", "COPY") for source in rest.split()[:-1]]
    for source in copied:
        assert (ROOT / source).exists(), source
        assert not tracked or any(f == source or f.startswith(f"{source}/") for f in tracked)
    assert not {"tests", "samples", "hooks", ".", ".git"} & set(copied)
    assert not list(of("build", "ADD")) + list(of("final", "ADD"))


@pytest.mark.timeout(600)
@pytest.mark.exhaustive
def test_what_its_steps_make_runs(tmp_path: Path) -> None:
    """The Dockerfile's commands install a working tfevents, which its entry point starts with the
    image's environment."""
    source, root = tmp_path / "src", tmp_path / "image"
    source.mkdir()
    for rest in of("build", "COPY"):
        *names, _ = rest.split()
        for name in names:
            place = ROOT / name
            copy = shutil.copytree if place.is_dir() else shutil.copy
            copy(place, source / name)
    for rest in of("build", "RUN"):
        command = rest.replace("/opt/", f"{root}/opt/")
        python = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
        done = subprocess.run(
            ["/bin/sh", "-ec", command.replace("python -m venv", f"{sys.executable} -m venv")],
            cwd=source,
            env={**python, **_index()},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert_files(root)
    assert_runs(root, tmp_path)


def _index() -> dict[str, str]:
    """The environment variables by which pip finds packages on this machine."""
    return {n: v for n, v in os.environ.items() if n.startswith("PIP_") or n.endswith("_proxy")}


def assert_files(root: Path) -> None:
    """Asserts that the commands and the whole package are installed, with types and schema and
    without tests."""
    scripts = root / "opt/tfevents/bin"
    for name in ("tf", "tfevents"):
        assert os.access(scripts / name, os.X_OK)
    (package,) = root.glob("opt/tfevents/lib/python3*/site-packages/tfevents")
    installed = {str(path.relative_to(package)) for path in package.rglob("*.py")}
    ours = {str(path.relative_to(ROOT / "tfevents")) for path in (ROOT / "tfevents").rglob("*.py")}
    assert installed == ours
    assert all((package / name).is_file() for name in ("py.typed", "events/event.schema.json"))
    assert not (package.parent / "tests").exists()
    copied = [rest.split()[1] for rest in of("final", "COPY") if "--from=build" in rest]
    assert copied == ["/opt/tfevents"]


def assert_runs(root: Path, tmp_path: Path) -> None:
    """Asserts that the entry point applies a project, with only the image's environment and a
    provisioner where the image expects it."""
    mounted = root / "opt/provisioner"
    mounted.mkdir()
    (mounted / "terraform").symlink_to(terraform())
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.tf").write_text('resource "terraform_data" "a" {}\n')
    env = {"PATH": "/usr/bin:/bin", "CHECKPOINT_DISABLE": "1", "PLUGIN_COMMAND": "apply"}
    for rest in of("final", "ENV"):
        for name, value in re.findall(r"(\w+)=(\S+)", rest):
            env[name] = value.replace("$PATH", env.get("PATH", "")).replace("/opt/", f"{root}/opt/")
    env["TFEVENTS_HOME"] = str(tmp_path / "home")
    (entry,) = of("final", "ENTRYPOINT")
    program, *words = json.loads(entry)
    command = [shutil.which(program, path=env["PATH"]) or program, *words]
    done = subprocess.run(
        command, cwd=project, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Apply complete! Resources: 1 added" in done.stdout
    assert done.stderr.startswith("tfevents: active (1 added), kept in the journal")
