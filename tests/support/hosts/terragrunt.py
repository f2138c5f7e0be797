"""Terragrunt's own order, played from the root that units include.

https://docs.terragrunt.com/features/units/hooks: before hooks, terraform, after hooks (after an
error only those with run_on_error), error hooks whose `on_errors` match. All run where terraform
runs, which is the cache where the unit has a `source`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from support.hosts.field import Field
from support.paths import HOOKS

from tfevents.readers.hcl import expressions

NAME = "terragrunt/root.hcl"
_ONE_AT_A_TIME = Lock()


def _read_root() -> Mapping[str, Any]:
    """Once: python-hcl2 mixes up two parses at the same time in two threads."""
    with _ONE_AT_A_TIME:
        return _parse_root()


@cache
def _parse_root() -> Mapping[str, Any]:
    (root,) = expressions.parse_hcl((HOOKS / NAME).read_text(), NAME)["terraform"]
    return dict(root)


def terragrunt(field: Field, unit: Path, command: str, *, cwd: Path | None = None) -> int:
    """One unit's command; the code that Terragrunt would leave with."""
    play = _Play(field, unit, command, cwd or unit)
    assert all(code == 0 for code in play.hooks("before_hook"))
    code = play.terraform()
    assert all(code == 0 for code in play.hooks("after_hook", failed=bool(code)))
    if code:
        assert all(code == 0 for code in play.hooks("error_hook", failed=True))
    return code


class _Play:
    def __init__(self, field: Field, unit: Path, command: str, cwd: Path) -> None:
        self.field, self.unit, self.command, self.cwd = field, unit, command, cwd

    def hooks(self, kind: str, *, failed: bool = False) -> Iterator[int]:
        """The exit codes of the hooks that this command has."""
        for name, hook in self._for_command(kind):
            if kind == "error_hook":
                assert any(re.search(text, "exit status 1") for text in hook["on_errors"])
            elif failed and not hook.get("run_on_error"):
                continue
            context = {"TG_CTX_HOOK_NAME": name, "TG_CTX_COMMAND": self.command}
            words = [self._evaluated(word) for word in hook["execute"]]
            done = self.field.run(words, cwd=self.cwd, TG_CTX_TF_PATH="terraform", **context)
            print(words, done.returncode, done.stdout, done.stderr)
            assert done.stdout == ""
            yield done.returncode

    def terraform(self) -> int:
        """With the extra arguments first, as Terragrunt inserts them."""
        words = ["terraform", self.command, "-input=false"]
        for _, extra in self._for_command("extra_arguments"):
            words[2:2] = [self._evaluated(word) for word in extra["arguments"]]
        if self.command == "apply":
            words.append("-auto-approve")
        done = self.field.run(words, cwd=self.cwd)
        print(words, done.returncode, done.stdout, done.stderr)
        return done.returncode

    def _for_command(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for block in _read_root()[kind]:
            ((name, body),) = block.items()
            if self.command in body["commands"]:
                yield name, body

    def _evaluated(self, word: str) -> str:
        word = word.replace("${get_terragrunt_dir()}", str(self.unit))
        return word.replace("${get_terraform_command()}", self.command)
