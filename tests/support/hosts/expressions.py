"""Evaluates `${{ … }}` as GitHub and Azure do, as far as the files of `hooks/` need it.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def expand(text: str, context: Mapping[str, Any]) -> str:
    """The text with each expression replaced by its value."""
    return _EXPRESSION.sub(lambda match: str(evaluate(match[1], context)), text)


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """The value of an expression. `||` binds weakest, then `&&`, then `==` and `!=`; empty text is
    false."""
    for operator in ("||", "&&"):
        left, found, right = expression.partition(f" {operator} ")
        if found:
            value = evaluate(left, context)
            return value if bool(value) == (operator == "||") else evaluate(right, context)
    if found := re.fullmatch(r"(.+) (==|!=) (.+)", expression):
        same = _value(found[1], context) == _value(found[3], context)
        return same if found[2] == "==" else not same
    return _value(expression, context)


def _value(text: str, context: Mapping[str, Any]) -> Any:
    """The value of a text in quotes or of a path into the context; empty if the path does not
    exist."""
    if text.startswith("'"):
        return text[1:-1]
    value: Any = context
    for name in text.split("."):
        value = value.get(name, {})
    return "" if value == {} else value
