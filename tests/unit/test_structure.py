"""Rules for the source that neither ruff nor lint-imports can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from support.paths import ROOT

PACKAGE = ROOT / "tfevents"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES, MOST_MODULES = 350, 12
LATE_IMPORTS = ("cli", "wrapper")
"""Packages whose functions may import modules: each command imports its own, and `tf` starts
terraform first."""
ENVIRONMENT = ("cli", "wrapper/main.py", "wrapper/sender.py", "selftest/probe.py")
"""Modules that use the environment; all others are given it. The probe is a program of its own, and
wrapper/sender.py sets the environment of the process that it forks."""
IMPORTS = (ast.Import, ast.ImportFrom)


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def find_nodes(pattern: str, outside: tuple[str, ...]) -> Iterator[tuple[str, ast.AST]]:
    """Every syntax node, with its module's name, of the modules whose text matches and that are not
    in `outside`."""
    for path in MODULES:
        text = path.read_text()
        if re.search(pattern, text) and not name_of(path).startswith(outside):
            yield from ((name_of(path), node) for node in ast.walk(ast.parse(text)))


def test_a_module_is_no_longer_than_can_be_read() -> None:
    """No module has more than MOST_LINES lines."""
    lines = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: number for name, number in lines.items() if number > MOST_LINES} == {}


def test_a_package_has_no_more_modules_than_can_be_known() -> None:
    """No package has more than MOST_MODULES public modules, except the CI vendors, which have one
    each."""
    packages = {path.parent for path in MODULES} - {PACKAGE / "context" / "ci"}
    sizes = {name_of(path): len([*path.glob("[!_]*.py")]) for path in packages}
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


def test_imports_stand_at_the_top() -> None:
    """Outside of LATE_IMPORTS, no function imports a module."""
    functions = [
        (name, node)
        for name, node in find_nodes(r"\n +(import|from) ", LATE_IMPORTS)
        if isinstance(node, ast.FunctionDef)
    ]
    inner = [(name, node) for name, function in functions for node in ast.walk(function)]
    assert [f"{name}:{node.lineno}" for name, node in inner if isinstance(node, IMPORTS)] == []


def test_the_environment_is_given() -> None:
    """`os.environ` and `os.getenv` are only used in ENVIRONMENT."""
    readers = [
        f"{name}:{node.lineno}"
        for name, node in find_nodes("environ|getenv", ENVIRONMENT)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv")
    ]
    assert readers == []


def test_threads_meet_no_type_of_json_at_once() -> None:
    """Decoders for a type are only made in readers/decoders.py, which says why; `msgspec.convert`
    is only used in delivery/sender_process.py, where a single thread calls it."""
    nodes = [*find_nodes("decode|msgspec.convert", ("delivery/sender_process.py",))]
    decoders = [f"{name}:{node.lineno}" for name, node in nodes if _decodes_a_type(node)]
    assert decoders == []
    converters = [
        f"{name}:{node.lineno}"
        for name, node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "msgspec.convert"
    ]
    assert converters == []


def _decodes_a_type(node: ast.AST) -> bool:
    """Whether the node is a call like `msgspec.json.decode(text, type=…)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "decode"
        and "type" in {word.arg for word in node.keywords}
    )
