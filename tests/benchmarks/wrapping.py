"""Measures `tf plan` and `tf apply` against terraform itself; the endpoint answers at once."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import estate
from measure import Command, Row, paired
from starting import TF
from support.aws import Aws
from support.endpoint import Endpoint
from support.engines import clean_env, terraform

PARAMETER = """\
resource "aws_ssm_parameter" "r%d" {
  count = %d
  name  = "/%s/%d/${count.index}"
  type  = "String"
  value = "v${var.v}"
}
"""
APPLY = ("apply", "-auto-approve")
DELIVERY = {
    "TFEVENTS_API_KEY": "pat.acct.keyid.secret",
    "TFEVENTS_ORG": "org",
    "TFEVENTS_PROJECT": "proj",
    "TFEVENTS_WORKSPACE": "ws",
}


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Measures each size with the built-in provider and, if asked for, with the AWS provider."""
    with tempfile.TemporaryDirectory() as name, Endpoint() as endpoint:
        root = Path(name)
        env = {**clean_env(root / "home", terraform()), **DELIVERY, "TFEVENTS_URL": endpoint.url}
        for size in wanted.sizes:
            yield from _wrapped(size, root / str(size), env, wanted.runs)
        if wanted.aws:
            with Aws() as aws:
                env = {**env, **aws.environment(root / "aws", terraform())}
                for size in (s for s in wanted.sizes if s <= 1000):
                    text = aws.provider + _parameters(size)
                    yield from _wrapped(size, root / f"aws{size}", env, wanted.runs, text)


def _wrapped(
    size: int, place: Path, env: Mapping[str, str], runs: int, aws: str | None = None
) -> Iterator[Row]:
    """Times a plan that adds everything, a plan without changes, and applies of changes, in two
    copies of a project.

    `aws`: the configuration for the AWS provider; None for the built-in provider's.
    """
    what = f"{size} of AWS" if aws else f"{size}"
    ours, theirs = (_project(place / who, size, env, aws) for who in ("ours", "theirs"))
    tf = Command([TF, "plan"], ours, env, hwm=True)
    bare = Command([terraform(), "plan"], theirs, env)
    yield paired(f"plan, {what} to add", tf, bare, runs)
    for directory in (ours, theirs):
        _stock(directory, size, env, aws)
    yield paired(f"plan, {what} unchanged", tf, bare, runs)
    changing = size if aws else estate.changing(size)
    some = what if changing == size else f"{changing} of {what}"
    yield paired(
        f"apply, {some} to change",
        _changing(Command([TF, *APPLY], ours, env, hwm=True)),
        _changing(Command([terraform(), *APPLY], theirs, env)),
        runs,
    )
    shutil.rmtree(place)


def _project(place: Path, size: int, env: Mapping[str, str], aws: str | None) -> Path:
    """Makes an initialised project of which nothing is applied; resources of two projects have
    different names."""
    directory = place / "project"
    directory.mkdir(parents=True)
    text = aws or estate.configuration(size)
    (directory / "main.tf").write_text(text.replace("/WHO/", f"/{place.name}/"))
    _terraform(directory, env, "init")
    return directory


def _stock(directory: Path, size: int, env: Mapping[str, str], aws: str | None) -> None:
    """Makes all resources exist: applies them with AWS, else writes the state file."""
    if aws:
        _terraform(directory, env, *APPLY)
    else:
        (directory / "terraform.tfstate").write_text(estate.state(size))


def _terraform(directory: Path, env: Mapping[str, str], *words: str) -> None:
    command = [terraform(), *words]
    subprocess.run(command, cwd=directory, env=dict(env), check=True, capture_output=True)


def _changing(command: Command) -> Command:
    """The same command, which gives the variable a new value before each run."""
    turn = count(1)
    values = command.cwd / "terraform.tfvars"
    return Command(
        command.words,
        command.cwd,
        command.env,
        prepare=lambda: values.write_text(f"v = {next(turn)}\n"),
        hwm=command.hwm,
    )


def _parameters(size: int) -> str:
    parts = (PARAMETER % (n, many, "WHO", n) for n, many in estate.blocks(size))
    return estate.VARIABLE + "".join(parts)
