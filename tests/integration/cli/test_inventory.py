"""`tfevents inventory`: the table and the JSON agree."""

from __future__ import annotations

import pytest
from support.command import Tfevents


@pytest.mark.parametrize(
    ("text", "backend", "words"),
    [
        ("terraform {}", None, "no backend declared"),
        ('terraform { backend "local" {} }', "local", "backend local"),
        ("terraform { cloud {} }", "cloud", "backend cloud"),
    ],
)
def test_both_forms_say_the_same_backend(
    text: str, backend: str | None, words: str, tfevents: Tfevents
) -> None:
    """Table and JSON of `inventory` name the same backend, or none if none is declared."""
    (tfevents.cwd / "main.tf").write_text(text)
    assert tfevents.json("inventory", "--json")["backend"] == backend
    assert tfevents.ok("inventory").splitlines()[-1] == f"terraform any version, {words}"
