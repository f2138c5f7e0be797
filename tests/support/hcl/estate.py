"""Random root modules that terraform accepts, with all the ways to name a provider."""

from __future__ import annotations

import json
from random import Random
from typing import Any

NAMES = ("aws", "google", "null", "acme", "terraform")
SOURCES = ("hashicorp/aws", "Acme/thing", "registry.example.com/Acme/thing", "other/null", "tls")
VERSIONS = (">= 1.2.0", "~> 5.0", "1.2.3", ">= 1.0.0, < 2.0.0", "!= 3.0.0", None)


def files(random: Random, *, old: bool = False) -> dict[str, str | bytes]:
    """The files of a root module and up to three levels of local ones; `old`: without ephemeral
    resources."""
    found: dict[str, str | bytes] = {}
    _module(random, "", 0, found)
    if old:
        return {name: str(text).replace("ephemeral ", "data ") for name, text in found.items()}
    return found


def _module(random: Random, path: str, depth: int, found: dict[str, str | bytes]) -> None:
    required = {
        name: _requirement(random) for name in random.sample(NAMES[:4], random.randint(0, 3))
    }
    found[f"{path}versions.tf"] = _terraform(required)
    names = [*required, *NAMES]
    text = "".join(_use(random, number, names) for number in range(random.randint(0, 6)))
    children = [f"c{number}" for number in range(random.randint(0, 2) if depth < 3 else 0)]
    for child in children:
        text += f'module "{child}" {{\n  source = "./{child}"\n}}\n'
        _module(random, f"{path}{child}/", depth + 1, found)
    found[f"{path}main.tf"] = text
    found[f"{path}more.tf.json"] = json.dumps(_json(random, names))
    if random.random() < 0.4:
        found[f"{path}a_override.tf"] = _terraform({"acme": _requirement(random)})
    if random.random() < 0.3 and not depth:
        found["override.tf"] = f'provider "{random.choice(NAMES[:4])}" {{}}\n'


def _requirement(random: Random) -> dict[str, str]:
    source, version = random.choice(SOURCES), random.choice(VERSIONS)
    return {"source": source, **({"version": version} if version else {})}


def _terraform(required: dict[str, dict[str, str]]) -> str:
    entries = "".join(
        f"    {name} = {{\n"
        + "".join(f'      {key} = "{value}" # {{\n' for key, value in entry.items())
        + "    }\n"
        for name, entry in required.items()
    )
    return f"terraform {{\n  required_providers {{\n{entries}  }}\n}}\n"


def _use(random: Random, number: int, names: list[str]) -> str:
    """A block for which terraform needs a provider."""
    name = random.choice(names)
    other = random.choice(names)
    return random.choice(
        (
            f'resource "{name}_x" "r{number}" {{\n  a = "}}"\n}}\n',
            f'resource "{name}_x" "r{number}" {{\n  provider = {other}\n}}\n',
            f'data "{name}_x" "d{number}" {{\n  b {{\n    provider = "no"\n  }}\n}}\n',
            f'ephemeral "{name}_x" "e{number}" {{}}\n',
            f'check "k{number}" {{\n  data "{name}_x" "k{number}" {{}}\n  assert {{\n'
            f'    condition     = data.{name}_x.k{number}.id != ""\n'
            '    error_message = "}"\n  }\n}\n',
        )
    )


def _json(random: Random, names: list[str]) -> dict[str, Any]:
    name, other = random.choice(names), random.choice(names)
    body = random.choice(({}, {"provider": other}, {"a": "${1}"}))
    shapes: list[dict[str, Any]] = [
        {"//": "nothing"},
        {"resource": {f"{name}_x": {"json": body}}},
        {"data": [{f"{name}_x": {"json": [body]}}]},
    ]
    return random.choice(shapes)
