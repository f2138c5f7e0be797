"""The rules of the source that neither ruff nor lint-imports can hold."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from support.paths import ROOT

PACKAGE = ROOT / "tfevents"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES, MOST_MODULES = 350, 12
LATE_IMPORTS = ("cli", "wrapper")
"""Packages in which a function may import: what a command needs, what terraform waits for."""
ENVIRONMENT = ("cli", "wrapper/main.py", "selftest/probe.py")
"""Where the environment is read; everybody else is given it. The probe is a program of its own."""


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def find_nodes(path: Path, *kinds: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_no_longer_than_can_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_a_package_has_no_more_modules_than_can_be_known() -> None:
    """But for the CI vendors, which are one each."""
    packages = {path.parent for path in MODULES} - {PACKAGE / "context" / "ci"}
    sizes = {name_of(path): len([*path.glob("[!_]*.py")]) for path in packages}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    if not name_of(path).startswith(LATE_IMPORTS):
        functions = find_nodes(path, ast.FunctionDef)
        inner = [node for function in functions for node in ast.walk(function)]
        assert [n for n in inner if isinstance(n, (ast.Import, ast.ImportFrom))] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_environment_is_given(path: Path) -> None:
    """`os.environ` and `os.getenv` are read at the edge alone."""
    if not name_of(path).startswith(ENVIRONMENT):
        names = {node.attr for node in find_nodes(path, ast.Attribute)}  # type: ignore[attr-defined]
        assert names & {"environ", "environb", "getenv"} == set()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_threads_meet_no_type_of_json_at_once(path: Path) -> None:
    """Decoders of types come from readers/decoders.py, which says why; `convert` is used where one
    thread does it."""
    calls = [node for node in find_nodes(path, ast.Call) if isinstance(node, ast.Call)]
    typed = [call for call in calls if "type" in {word.arg for word in call.keywords}]
    assert [c for c in typed if isinstance(c.func, ast.Attribute) and c.func.attr == "decode"] == []
    converts = [
        node for node in find_nodes(path, ast.Attribute) if ast.unparse(node) == "msgspec.convert"
    ]
    assert converts == [] or name_of(path) == "delivery/sender_process.py"
