"""`tfevents inventory`: the table says what the JSON says."""

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
    """One that nobody declared is none in both."""
    (tfevents.cwd / "main.tf").write_text(text)
    assert tfevents.json("inventory", "--json")["backend"] == backend
    assert tfevents.ok("inventory").splitlines()[-1] == f"terraform any version, {words}"
