"""Runs a unit in Terragrunt's own order, with the hooks of the root file that units include.

https://docs.terragrunt.com/features/units/hooks: before hooks, terraform, after hooks (after an
error only those with run_on_error), error hooks whose `on_errors` match. All run in terraform's
working directory, which is the cache if the unit has a `source`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from support.hosts.field import Field
from support.paths import HOOKS

from tfevents.readers.hcl import expressions

NAME = "terragrunt/root.hcl"
_ONE_AT_A_TIME = Lock()
_TOKEN = re.compile(r'"(?P<text>[^"]*)"|(?P<word>\w+)\(\)')


def _read_root() -> Mapping[str, Any]:
    """The root file, parsed under a lock: python-hcl2 mixes up two parses that run in two
    threads."""
    with _ONE_AT_A_TIME:
        return _parse_root()


@cache
def _parse_root() -> Mapping[str, Any]:
    (root,) = expressions.parse_hcl((HOOKS / NAME).read_text(), NAME)["terraform"]
    return dict(root)


def terragrunt(field: Field, unit: Path, command: str, *words: str, cwd: Path | None = None) -> int:
    """Runs one unit's command with the user's own words; returns Terragrunt's exit code."""
    play = Play(field, unit, (command, *words), cwd or unit)
    assert all(code == 0 for code in play.hooks("before_hook"))
    code = play.terraform()
    assert all(code == 0 for code in play.hooks("after_hook", failed=bool(code)))
    if code:
        assert all(code == 0 for code in play.hooks("error_hook", failed=True))
    return code


class Play:
    """The steps of one unit's command."""

    def __init__(self, field: Field, unit: Path, arguments: tuple[str, ...], cwd: Path) -> None:
        self.field, self.unit, self.arguments, self.cwd = field, unit, arguments, cwd
        self.command = arguments[0]

    def hooks(self, kind: str, *, failed: bool = False) -> Iterator[int]:
        """Runs the hooks that this command has; yields their exit codes."""
        for name, hook in self._for_command(kind):
            if kind == "error_hook":
                assert any(re.search(text, "exit status 1") for text in hook["on_errors"])
            elif failed and not hook.get("run_on_error"):
                continue
            context = {"TG_CTX_HOOK_NAME": name, "TG_CTX_COMMAND": self.command}
            words = self._evaluate_list(hook["execute"])
            done = self.field.run(words, cwd=self.cwd, TG_CTX_TF_PATH="terraform", **context)
            print(words, done.returncode, done.stdout, done.stderr)
            assert done.stdout == ""
            yield done.returncode

    def terraform(self) -> int:
        """Runs terraform, with the extra arguments before the user's own as Terragrunt inserts
        them; returns its exit code, where the 2 of `-detailed-exitcode` becomes 0 as for
        Terragrunt."""
        words = ["terraform", self.command, "-input=false"]
        for _, extra in self._for_command("extra_arguments"):
            words += self._evaluate_list(extra["arguments"])
        words += ["-auto-approve"] if self.command == "apply" else []
        words += self.arguments[1:]
        done = self.field.run(words, cwd=self.cwd)
        print(words, done.returncode, done.stdout, done.stderr)
        detailed = "-detailed-exitcode" in words and done.returncode == 2
        return 0 if detailed else done.returncode

    def _for_command(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for block in _read_root()[kind]:
            ((name, body),) = block.items()
            if self.command in body["commands"]:
                yield name, body

    def _evaluate_list(self, value: list[str] | str) -> list[str]:
        """The words of a list of texts, or of a `concat` of such lists and of functions."""
        if isinstance(value, list):
            return [self._evaluate(word) for word in value]
        found: list[str] = []
        for token in _TOKEN.finditer(value.removeprefix("${concat(")):
            if token["word"]:
                found += _FUNCTIONS[token["word"]](self)
            else:
                found.append(self._evaluate(token["text"]))
        return found

    def _evaluate(self, word: str) -> str:
        return word.replace("${get_terragrunt_dir()}", str(self.unit))


_FUNCTIONS: Mapping[str, Callable[[Play], Sequence[str]]] = {
    "get_terragrunt_dir": lambda play: [str(play.unit)],
    "get_terraform_cli_args": lambda play: play.arguments,
}
"""https://docs.terragrunt.com/reference/hcl/functions; the CLI arguments are the command and the
user's own, without `extra_arguments`."""
