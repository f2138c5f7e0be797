"""`tf plan` and `tf apply` against terraform itself, with an endpoint that answers at once."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from measure import Command, Row, paired
from rig.aws import Aws
from rig.endpoint import Endpoint
from rig.engines import clean_env, terraform
from starting import TF

VARIABLE = 'variable "v" { default = 0 }\n'
BLOCK = """\
resource "terraform_data" "r%d" {
  count = %d
  input = "${var.v} ${count.index}"
}
"""
PARAMETER = """\
resource "aws_ssm_parameter" "r%d" {
  count = %d
  name  = "/%s/%d/${count.index}"
  type  = "String"
  value = "v${var.v}"
}
"""
IN_A_BLOCK = 100
"""`count` costs terraform itself the square of it."""
BY_HAND = '"$0" plan -out=plan && exec "$0" apply plan'
"""What an apply that is split asks of terraform (`sh -c` has the binary for $0)."""
DELIVERY = {
    "TFEVENTS_API_KEY": "pat.acct.keyid.secret",
    "TFEVENTS_ORG": "org",
    "TFEVENTS_PROJECT": "proj",
    "TFEVENTS_WORKSPACE": "ws",
}


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Each size with the builtin provider, and with the AWS provider where that was asked for."""
    with tempfile.TemporaryDirectory() as name, Endpoint() as endpoint:
        root = Path(name)
        env = {**clean_env(root / "home", terraform()), **DELIVERY, "TFEVENTS_URL": endpoint.url}
        for size in wanted.sizes:
            yield from _wrapped(f"{size}", root / str(size), _builtin(size), env, wanted.runs)
        if wanted.aws:
            with Aws() as aws:
                env = {**env, **aws.environment(root / "aws", terraform())}
                for size in (s for s in wanted.sizes if s <= 1000):
                    place = root / f"aws{size}"
                    text = aws.provider + _parameters(size)
                    yield from _wrapped(f"{size} of AWS", place, text, env, wanted.runs)


def _wrapped(what: str, place: Path, text: str, env: Mapping[str, str], runs: int) -> Iterator[Row]:
    """A plan of everything, then applies that change everything, in two copies of a project."""
    ours, theirs = place / "ours" / "project", place / "theirs" / "project"
    for directory in (ours, theirs):
        directory.mkdir(parents=True)
        (directory / "main.tf").write_text(text.replace("/WHO/", f"/{directory.parent.name}/"))
        subprocess.run(
            [terraform(), "init"], cwd=directory, env=dict(env), check=True, capture_output=True
        )
    tf = Command([TF, "plan"], ours, env, hwm=True)
    bare = Command([terraform(), "plan"], theirs, env)
    yield paired(f"plan, {what} to add", tf, bare, runs)
    apply = ["apply", "-auto-approve"]
    for directory in (ours, theirs):
        subprocess.run(
            [terraform(), *apply], cwd=directory, env=dict(env), check=True, capture_output=True
        )
    yield paired(f"plan, {what} unchanged", tf, bare, runs)
    yield paired(
        f"apply, {what} to change",
        _changing(Command([TF, *apply], ours, env, hwm=True)),
        _changing(Command([terraform(), *apply], theirs, env)),
        runs,
    )
    yield paired(
        f"apply, {what} to change, by hand",
        _changing(Command([TF, *apply], ours, env)),
        _changing(Command(["/bin/sh", "-c", BY_HAND, terraform()], theirs, env)),
        runs,
    )
    shutil.rmtree(place)


def _changing(command: Command) -> Command:
    """Each run changes everything once more."""
    turn = count(1)
    values = command.cwd / "terraform.tfvars"
    return Command(
        command.words,
        command.cwd,
        command.env,
        prepare=lambda: values.write_text(f"v = {next(turn)}\n"),
        hwm=command.hwm,
    )


def _builtin(size: int) -> str:
    return VARIABLE + "".join(BLOCK % block for block in _blocks(size))


def _parameters(size: int) -> str:
    blocks = (PARAMETER % (n, many, "WHO", n) for n, many in _blocks(size))
    return VARIABLE + "".join(blocks)


def _blocks(size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, size, IN_A_BLOCK):
        yield start // IN_A_BLOCK, min(IN_A_BLOCK, size - start)
