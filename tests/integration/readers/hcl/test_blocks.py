"""The scanner of HCL blocks accepts what terraform accepts."""

from __future__ import annotations

from pathlib import Path
from random import Random

from support import engines
from support.hcl import hcl_text, oracle
from support.hcl.edges import EDGES

from tfevents.errors import UnreadableDocument
from tfevents.readers.hcl.blocks import Schema, parse_blocks


def is_read(text: str) -> bool:
    """Whether the scanner accepts the text."""
    try:
        parse_blocks(text, "x.tf", Schema(blocks={"alpha": Schema(), "beta": Schema(1)}))
    except UnreadableDocument:
        return False
    return True


def test_the_edges_are_what_terraform_says(tmp_path: Path) -> None:
    """Terraform accepts and refuses the texts in `EDGES` as stated there."""
    env = engines.clean_env(tmp_path / "home")
    for number, (text, _) in enumerate(EDGES):
        (tmp_path / f"f{number}.tf").write_bytes(text.encode())
    accepted = oracle.accepted(engines.terraform(), tmp_path, env)
    assert accepted == {f"f{number}.tf" for number, (_, valid) in enumerate(EDGES) if valid}


def test_nothing_that_terraform_takes_is_refused(tmp_path: Path) -> None:
    """Of 600 randomly damaged documents, those that are still HCL can all be read."""
    env = engines.clean_env(tmp_path / "home")
    for seed in range(600):
        random = Random(1_000_000 + seed)
        text = hcl_text.damaged(random, hcl_text.document(random))
        (tmp_path / f"f{seed}.tf").write_bytes(text.encode())
    accepted = oracle.accepted(engines.terraform(), tmp_path, env)
    assert 200 < len(accepted) < 500
    refused = {name for name in accepted if not is_read((tmp_path / name).read_bytes().decode())}
    assert refused == set()
