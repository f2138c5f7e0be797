"""Whatever a vendor's variables and event file hold, the build's texts are clean."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from importlib import import_module

import pytest
from msgspec.structs import asdict
from support.ci_samples.sample import Sample
from support.fuzzing import Examples
from support.spoiled_documents import reshape_json, spoil_bytes
from support.spoiled_text import spoil_text

from tfevents.context import ci
from tfevents.text import MESSAGE_BYTES, VALUE_BYTES

SAMPLES: list[Sample] = [
    sample for name in ci.VENDORS for sample in import_module(f"support.ci_samples.{name}").SAMPLES
]
WITH_FILE = [sample for sample in SAMPLES if sample.files]
HIDDEN = "https://u:CANARY@host.example/a?token=CANARY"


def spoil_file(content: bytes, dice: random.Random) -> bytes:
    """The content with random changes; JSON may also get another shape."""
    if content.startswith(b"{") and dice.random() < 0.6:
        return reshape_json(content.decode(), dice)
    return spoil_bytes(content, dice)


def spoil_environment(env: Mapping[str, str], dice: random.Random) -> dict[str, str]:
    """The environment with one to four variables changed or removed."""
    spoiled = dict(env)
    for name in dice.choices([*env], k=dice.randint(1, 4)):
        odd = ("", "\udcff", "{" * 3000, "x" * 9000, HIDDEN, spoil_text(env[name], dice))
        if dice.random() < 0.1:
            spoiled.pop(name, None)
        else:
            spoiled[name] = dice.choice(odd)
    return spoiled


def check_build(build: ci.Build) -> None:
    """Asserts that every text of the build can be sent: it is bounded and printable, and the URLs
    hold no password."""
    for name, value in asdict(build).items():
        if not isinstance(value, str):
            continue
        is_message = name == "message"
        assert len(value.encode()) <= (MESSAGE_BYTES if is_message else VALUE_BYTES)
        assert "".join(value.split() if is_message else value).isprintable(), name
        assert "CANARY@" not in value or name not in ("repository", "url")
    json.dumps(build.trigger())


@pytest.mark.fuzz("CI event payloads", 500)
def test_a_spoiled_event_file_is_read_or_left_out(examples: Examples) -> None:
    """A broken event file may cost the facts that it holds; the vendor is still recognised."""
    for dice in examples:
        sample = dice.choice(WITH_FILE)
        spoiled = {path: spoil_file(text, dice) for path, text in sample.files.items()}
        build = ci.find_build(sample.env, spoiled.get)
        assert build is not None
        assert build.vendor == sample.build.vendor
        check_build(build)


@pytest.mark.fuzz("CI environments", 1000)
def test_a_spoiled_environment_is_read_or_left_out(examples: Examples) -> None:
    """Spoiled variables and JSON of another shape in a variable raise no error; if a vendor is
    recognised, the build can be sent."""
    for dice in examples:
        sample = dice.choice(SAMPLES)
        build = ci.find_build(spoil_environment(sample.env, dice), sample.files.get)
        if build is not None:
            check_build(build)
