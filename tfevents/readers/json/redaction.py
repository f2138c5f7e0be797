"""Plan JSON and state files without what is sensitive in them: by marks, and wherever it recurs.

Where terraform marks a value (`before_sensitive`, `after_sensitive`, `sensitive_values`,
`sensitive_attributes`, `sensitive: true`), whatever stands there is replaced, all of it. What was
replaced is then looked for everywhere else in the document, in names too:

* a text of `LEAST` characters or more, wherever it stands, also inside a longer text: as it is,
  less the space around it, or as JSON writes it (jsonencode);
* a shorter text, and a number of `LEAST` digits or more, only where it is the whole value;
* true, false, null, "" and shorter numbers are trivial: they go only where they are marked.

Nothing marks the arguments of providers, which are often keys: their constants are all replaced;
and of a resource's arguments, those that are marked for any resource of its type.

Parts that hold nothing of this are passed on byte by byte. At once in memory: one resource, the
configuration, and what is sensitive. The formats: terraform's "JSON output format" and, of states,
version 4 (internal/states/statefile in hashicorp/terraform).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.streaming import Cursor

HIDDEN = "(sensitive value)"
LEAST = 4
NUMBER = re.compile(rf"-?[0-9.]{{{LEAST},}}")

Read = Callable[[int], bytes]


class Sensitive:
    """What is sensitive in a document, as far as it has been read."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.numbers: set[int | float | Decimal] = set()
        self.attributes: set[tuple[str, str]] = set()
        """Types of resources and the names of their marked attributes."""
        self.variables: set[str] = set()
        """The root module's."""
        self._search: Callable[[str], str] | None = None

    def collect(self, read: Read) -> None:
        """Notes all that is marked. Raises UnreadableDocument."""
        self._variables: dict[str, Any] = {}
        for part in _parts(Cursor(read), DOCUMENT):
            if isinstance(part, Part):
                with _shaped():
                    part.hide(part.parsed(), self)
        for name, variable in self._variables.items():
            if name in self.variables:
                self.blank(variable)

    def note_variables(self, variables: dict[str, Any]) -> None:
        """Kept until the configuration says which of them are sensitive: it comes later."""
        self._variables = variables

    def without(self, read: Read) -> Iterator[bytes]:
        """The document that was collected from, in pieces."""
        conceal = self.concealer()
        for part in _parts(Cursor(read), DOCUMENT):
            if isinstance(part, Part):
                yield self._rewritten(part, conceal)
            elif isinstance(part, str):
                name = Part(f'"{part}"'.encode(), _plain).parsed()
                shown = conceal(name)
                yield f'"{part}":'.encode() if shown == name else f"{json.dumps(shown)}:".encode()
            else:
                yield part

    def _rewritten(self, part: Part, conceal: Callable[[Any], Any]) -> bytes:
        with _shaped():
            node = part.parsed()
            hidden = conceal(part.hide(node, self))
            return part.raw if hidden == node else "".join(_text(hidden)).encode()

    def blank(self, value: Any) -> str:
        """Notes all of a value; gives what stands in its place."""
        if isinstance(value, dict):
            for inner in value.values():
                self.blank(inner)
        elif isinstance(value, list):
            for inner in value:
                self.blank(inner)
        elif isinstance(value, str):
            self.texts.update(_spellings(value))
        elif not isinstance(value, (bool, type(None))) and NUMBER.fullmatch(str(value)):
            self.numbers.add(value)
            self.texts.add(str(value))
        return HIDDEN

    def marked(self, value: Any, mark: Any) -> Any:
        """A value less what is marked; a mark of another form than its value's marks all."""
        if mark is True:
            return self.blank(value)
        if isinstance(mark, dict) and isinstance(value, dict):
            marks = mark.get
            return {name: self.marked(inner, marks(name)) for name, inner in value.items()}
        if isinstance(mark, list) and isinstance(value, list) and len(mark) == len(value):
            return [self.marked(inner, one) for inner, one in zip(value, mark, strict=True)]
        return self.blank(value) if _marks(mark) and value is not None else value

    def concealer(self) -> Callable[[Any], Any]:
        """What replaces all that was noted, anywhere in a value."""
        texts, numbers = frozenset(self.texts), frozenset(self.numbers)
        search = _searcher(text for text in texts if len(text) >= LEAST)

        def conceal(value: Any) -> Any:
            if isinstance(value, str):
                return HIDDEN if value in texts else search(value)
            if isinstance(value, dict):
                return {search(name): conceal(inner) for name, inner in value.items()}
            if isinstance(value, list):
                return [conceal(inner) for inner in value]
            plain = isinstance(value, (bool, type(None)))
            return HIDDEN if not plain and value in numbers else value

        return conceal if texts or numbers else lambda value: value


def _marks(mark: Any) -> bool:
    """Whether anything in it is marked."""
    if isinstance(mark, dict):
        return any(map(_marks, mark.values()))
    return any(map(_marks, mark)) if isinstance(mark, list) else mark is True


def _spellings(text: str) -> Iterator[str]:
    """As it is, stripped, and as JSON writes each, by Go's rules and by others'."""
    for plain in {text, text.strip()} - {""}:
        yield plain
        for ascii_only in (True, False):
            written = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
            yield written
            for sign in "<>&":
                written = written.replace(sign, f"\\u{ord(sign):04x}")
            yield written


def _searcher(texts: Iterable[str]) -> Callable[[str], str]:
    """Replaces texts in a text, the longest first. By their first letters, so that it does not
    matter how many there are."""
    starts: dict[str, list[str]] = {}
    for text in sorted(texts, key=len, reverse=True):
        starts.setdefault(text[:LEAST], []).append(text)
    if not starts:
        return lambda text: text
    pattern = re.compile(_tree(starts), re.DOTALL)

    def search(text: str) -> str:
        kept, done, at = [], 0, 0
        while found := pattern.search(text, at):
            at = found.start()
            hit = next((t for t in starts[found[0]] if text.startswith(t, at)), None)
            if hit is None:
                at += 1
                continue
            kept += [text[done:at], HIDDEN]
            done = at = at + len(hit)
        return "".join([*kept, text[done:]]) if kept else text

    return search


def _tree(words: Iterable[str]) -> str:
    """A pattern for words of one length that is quick for many of them."""
    heads: dict[str, set[str]] = {}
    for word in words:
        heads.setdefault(word[0], set()).add(word[1:])
    branches = [
        re.escape(head) + (_tree(rest) if any(rest) else "") for head, rest in heads.items()
    ]
    return f"(?:{'|'.join(sorted(branches))})"


# What is marked where: each takes one part of a document, and gives it without

Hide = Callable[[Any, Sensitive], Any]


def _plain(node: Any, _: Sensitive) -> Any:
    return node


def _change(node: Any, found: Sensitive) -> Any:
    """A change, of a resource or an output."""
    if not isinstance(node, dict):
        return node
    pairs = (("before", "before_sensitive"), ("after", "after_sensitive"))
    return {**node, **{n: found.marked(node[n], node.get(m)) for n, m in pairs if n in node}}


def _changed(node: Any, found: Sensitive) -> Any:
    """An element of `resource_changes` or `resource_drift`."""
    if not isinstance(node, dict) or not isinstance(node.get("change"), dict):
        return node
    change = node["change"]
    for name in ("before_sensitive", "after_sensitive"):
        _note_attributes(node.get("type"), change.get(name), found)
    return {**node, "change": _change(change, found)}


def _deferred(node: Any, found: Sensitive) -> Any:
    if not isinstance(node, dict):
        return node
    return {**node, "resource_change": _changed(node.get("resource_change"), found)}


def _invoked(node: Any, found: Sensitive) -> Any:
    """An element of `action_invocations`."""
    if not isinstance(node, dict) or "config_values" not in node:
        return node
    marks = node.get("config_sensitive")
    return {**node, "config_values": found.marked(node["config_values"], marks)}


def _note_attributes(kind: Any, marks: Any, found: Sensitive) -> None:
    if isinstance(kind, str) and isinstance(marks, dict):
        found.attributes.update((kind, name) for name, mark in marks.items() if _marks(mark))


def _resource(node: Any, found: Sensitive) -> Any:
    """A resource of `planned_values` or a prior state."""
    if not isinstance(node, dict) or "values" not in node:
        return node
    marks = node.get("sensitive_values")
    _note_attributes(node.get("type"), marks, found)
    return {**node, "values": found.marked(node["values"], marks)}


def _output(node: Any, found: Sensitive) -> Any:
    """An output's value, of a plan or a state file."""
    if isinstance(node, dict) and node.get("sensitive") is True and "value" in node:
        return {**node, "value": found.blank(node["value"])}
    return node


def _variables(node: Any, found: Sensitive) -> Any:
    if not isinstance(node, dict):
        return node
    found.note_variables(node)
    return {**node, **{name: {"value": HIDDEN} for name in node.keys() & found.variables}}


def _instance(node: Any, found: Sensitive) -> Any:
    """An instance in a state file. What providers keep for themselves is nobody's to read."""
    if not isinstance(node, dict):
        return node
    hidden = dict(node)
    for path in node.get("sensitive_attributes") or ():
        steps = [_step(step) for step in path]
        hidden["attributes"] = _at(hidden.get("attributes"), steps, found)
    if node.get("private"):
        hidden["private"] = found.blank(node["private"])
    return hidden


def _step(step: Mapping[str, Any]) -> Any:
    """`{"type": "get_attr", "value": "a"}`; an index has a value and its type."""
    value = step.get("value")
    return value.get("value") if isinstance(value, dict) else value


def _at(value: Any, steps: list[Any], found: Sensitive) -> Any:
    """What a path leads to; where it leads nowhere, as into a set, all there is on the way."""
    if not steps:
        return value if value is None or value == HIDDEN else found.blank(value)
    first, *rest = steps
    if isinstance(value, dict) and first in value:
        return {**value, first: _at(value[first], rest, found)}
    if isinstance(value, list) and isinstance(first, int) and 0 <= first < len(value):
        return [_at(v, rest, found) if i == first else v for i, v in enumerate(value)]
    return value if value is None or value == HIDDEN else found.blank(value)


def _configuration(node: Any, found: Sensitive) -> Any:
    if not isinstance(node, dict):
        return node
    root = node.get("root_module")
    if isinstance(root, dict):
        found.variables |= _sensitive_names(root)
    providers = _each(node.get("provider_config"), _provider)
    return {
        **node,
        **({"provider_config": providers} if "provider_config" in node else {}),
        **({"root_module": _module(root, found)} if "root_module" in node else {}),
    }


def _sensitive_names(module: Mapping[str, Any]) -> set[str]:
    variables = module.get("variables") or {}
    return {name for name, variable in variables.items() if variable.get("sensitive") is True}


def _each(node: Any, hide: Callable[[Any], Any]) -> Any:
    return {name: hide(inner) for name, inner in node.items()} if isinstance(node, dict) else node


def _provider(node: Any) -> Any:
    """Its constants go; they are not looked for elsewhere, for most of them are no secrets."""
    if not isinstance(node, dict) or "expressions" not in node:
        return node
    return {**node, "expressions": _constants(node["expressions"], lambda _: HIDDEN)}


def _constants(node: Any, blank: Callable[[Any], str]) -> Any:
    """Expressions, less their constants; blocks are expressions in lists."""
    if isinstance(node, list):
        return [_constants(inner, blank) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        name: blank(inner) if name == "constant_value" else _constants(inner, blank)
        for name, inner in node.items()
    }


def _module(node: Any, found: Sensitive) -> Any:
    """A module's configuration and those of the modules it calls."""
    if not isinstance(node, dict):
        return node
    parts: dict[str, Callable[[Any], Any]] = {
        "variables": lambda part: _each(part, lambda one: _declared(one, "default", found)),
        "outputs": lambda part: _each(part, lambda one: _declared(one, "expression", found)),
        "module_calls": lambda part: _each(part, lambda one: _call(one, found)),
        "resources": lambda part: [_configured(one, found) for one in part or ()],
    }
    return {name: parts[name](p) if name in parts else p for name, p in node.items()}


def _declared(node: Any, name: str, found: Sensitive) -> Any:
    """A variable or an output that is declared to be sensitive."""
    if not isinstance(node, dict) or node.get("sensitive") is not True or name not in node:
        return node
    blank = found.blank
    value = node[name]
    return {**node, name: blank(value) if name == "default" else _constants(value, blank)}


def _call(node: Any, found: Sensitive) -> Any:
    if not isinstance(node, dict):
        return node
    module, given = node.get("module"), node.get("expressions")
    names = _sensitive_names(module) if isinstance(module, dict) else set()
    hidden = {
        **(given or {}),
        **{n: _constants(e, found.blank) for n, e in (given or {}).items() if n in names},
    }
    return {
        **node,
        **({"expressions": hidden} if "expressions" in node else {}),
        **({"module": _module(module, found)} if "module" in node else {}),
    }


def _configured(node: Any, found: Sensitive) -> Any:
    """A resource's arguments that are marked for any resource of its type."""
    if not isinstance(node, dict) or not isinstance(node.get("expressions"), dict):
        return node
    kind, given = node.get("type"), node["expressions"]
    names = {name for name in given if (kind, name) in found.attributes}
    return {
        **node,
        "expressions": {
            n: _constants(e, found.blank) if n in names else e for n, e in given.items()
        },
    }


# Documents, taken apart

MODULE: dict[str, Any] = {"resources": [_resource]}
MODULE["child_modules"] = [MODULE]
VALUES = {"outputs": {"*": _output}, "root_module": MODULE}
DOCUMENT: dict[str, Any] = {
    # a plan
    "variables": _variables,
    "planned_values": VALUES,
    "prior_state": {"values": VALUES},
    "resource_drift": [_changed],
    "resource_changes": [_changed],
    "deferred_changes": [_deferred],
    "deferred_action_invocations": [_plain],
    "action_invocations": [_invoked],
    "output_changes": {"*": _change},
    "configuration": _configuration,
    # `show -json` of a state
    "values": VALUES,
    # a state file
    "outputs": {"*": _output},
    "resources": [{"instances": [_instance]}],
}
"""What a document is made of: objects by name (`*`: any), arrays by their elements."""


class Part:
    """A value that is looked at as a whole."""

    def __init__(self, raw: bytes, hide: Hide) -> None:
        self.raw, self.hide = raw, hide

    def parsed(self) -> Any:
        """As JSON; numbers as they are written."""
        with _shaped():
            return json.loads(self.raw, parse_float=Decimal, parse_constant=_refuse)


@contextmanager
def _shaped() -> Iterator[None]:
    """What has another shape than terraform's, anywhere in a part, is refused: what can't be
    looked through may hold anything."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise UnreadableDocument("it is no JSON as terraform writes it") from None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _parts(cursor: Cursor, shape: Any) -> Iterator[bytes | str | Part]:
    """A document in order: punctuation, names as they are written, and parts."""
    yield from _taken(cursor, shape)
    cursor.end()


def _taken(cursor: Cursor, shape: Any) -> Iterator[bytes | str | Part]:
    if not isinstance(shape, (dict, list)) or not cursor.opens():
        yield Part(cursor.take(), shape if callable(shape) else _plain)
    elif isinstance(shape, list):
        yield b"["
        for number, _ in enumerate(cursor.elements()):
            yield b"," if number else b""
            yield from _taken(cursor, shape[0])
        yield b"]"
    else:
        yield b"{"
        for number, name in enumerate(cursor.members()):
            yield b"," if number else b""
            yield name
            yield from _taken(cursor, shape.get(name, shape.get("*", _plain)))
        yield b"}"


def _text(value: Any) -> Iterator[str]:
    """JSON, with numbers as they were written: json knows no Decimal."""
    if isinstance(value, dict):
        yield "{"
        for number, (name, inner) in enumerate(value.items()):
            yield f"{',' if number else ''}{json.dumps(name)}:"
            yield from _text(inner)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, inner in enumerate(value):
            yield "," if number else ""
            yield from _text(inner)
        yield "]"
    else:
        yield str(value) if isinstance(value, Decimal) else json.dumps(value)
