"""Removes sensitive values from plan JSON and state files, where marked and wherever they recur.

A value that terraform marks is replaced as a whole (marks.py); so are values that the configuration
declares to be sensitive (configuration.py). The replaced values are then searched for everywhere
else in the document, also in names (replacer.py). Only known sections of a document are kept (PLAN,
STATE): a new section is left out until it has been reviewed.

Parts without sensitive values are copied unchanged. Memory holds one resource, the configuration
and the sensitive values at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.redaction.configuration import note_module
from tfevents.readers.json.redaction.encodings import encode_json
from tfevents.readers.json.redaction.marks import Redaction
from tfevents.readers.json.redaction.references import keep_references
from tfevents.readers.json.redaction.replacer import Replacer
from tfevents.readers.json.redaction.sensitive_values import SensitiveValues
from tfevents.readers.streaming import Cursor, Read

PLAN = frozenset(
    {
        "format_version",
        "terraform_version",
        "timestamp",
        "applyable",
        "complete",
        "errored",
        "planned_values",
        "prior_state",
        "resource_drift",
        "resource_changes",
        "deferred_changes",
        "action_invocations",
        "deferred_action_invocations",
        "output_changes",
        "relevant_attributes",
        "checks",
    }
)
"""The sections of plan JSON that are kept: not `variables` and `configuration`."""
PRICED = PLAN | {"configuration"}
"""The sections that Infracost gets; references.py reduces the configuration."""
STATE = frozenset(
    {"version", "terraform_version", "serial", "lineage", "outputs", "resources", "check_results"}
)
"""The sections of a state file that are kept."""

MODULE: dict[str, Any] = {"resources": [None]}
MODULE["child_modules"] = [MODULE]
VALUES = {"outputs": {"*": None}, "root_module": MODULE}
PARTS: dict[str, Any] = {
    # a plan
    "planned_values": VALUES,
    "prior_state": {"values": VALUES},
    "resource_drift": [None],
    "resource_changes": [None],
    "deferred_changes": [None],
    "action_invocations": [None],
    "deferred_action_invocations": [None],
    "output_changes": {"*": None},
    # `show -json` of a state
    "values": VALUES,
    # a state file
    "outputs": {"*": None},
    "resources": [{"instances": [None]}],
}
"""How a document is cut into parts: objects by name (`*`: any), arrays by element."""


class Redactor:
    """Reads documents twice: first collects their sensitive values, then rewrites them."""

    def __init__(self) -> None:
        self._found = SensitiveValues()
        self._variables: Mapping[str, Any] = {}

    def collect(self, read: Read) -> None:
        """Notes all sensitive values of a document. Raises UnreadableDocument."""
        redaction = Redaction(self._found)
        self._variables = {}
        names: set[str] = set()
        for part in _split_document(read):
            if isinstance(part, Part):
                with _refuse_other_shapes():
                    value = part.decode()
                    if part.path == ("variables",):
                        self._variables = value
                    elif part.path == ("configuration",):
                        names = note_module(value.get("root_module") or {}, self._found)
                    else:
                        redaction.apply(value, part.name)
        with _refuse_other_shapes():
            for name in names & self._variables.keys():
                self._found.hide(self._variables[name].get("value"))

    def rewrite(self, read: Read, sections: frozenset[str]) -> Iterator[bytes]:
        """These sections of a document, in pieces, without the values collected so far.

        Raises UnreadableDocument.
        """
        redaction = Redaction(self._found, Replacer(self._found))
        for part in _split_document(read, sections):
            yield self._rewrite_part(part, redaction) if isinstance(part, Part) else part

    def _rewrite_part(self, part: Part, redaction: Redaction) -> bytes:
        with _refuse_other_shapes():
            value = part.decode()
            kept = value
            if part.path == ("configuration",):
                kept = keep_references(value, self._variables)
            redacted = redaction.apply(kept, part.name)
            return part.raw if redacted == value else encode_json(redacted).encode()


class Part(NamedTuple):
    """A value that is redacted as a whole, and the path of member names to it."""

    raw: bytes
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the member; "" if the document's format does not define the name."""
        return self.path[-1] if self.path else ""

    def decode(self) -> Any:
        """The value, with fractions as Decimal, so that no digit is lost."""
        return json.loads(self.raw, parse_float=Decimal, parse_constant=_refuse_constant)


@contextmanager
def _refuse_other_shapes() -> Iterator[None]:
    """Raises UnreadableDocument for JSON of a shape that terraform does not write.

    Such JSON can't be searched, so it may contain any sensitive value.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise UnreadableDocument("it is no JSON as terraform writes it") from None


def _refuse_constant(constant: str) -> None:
    raise ValueError(constant)


def _split_document(read: Read, sections: frozenset[str] | None = None) -> Iterator[bytes | Part]:
    """A document in order: bytes (punctuation and names) and parts.

    `sections`: the only top-level members to include; None for all.
    """
    cursor = Cursor(read)
    yield from _split_object(cursor, PARTS, (), sections)
    cursor.expect_end()


def _split_object(
    cursor: Cursor, parts: dict[str, Any], path: tuple[str, ...], wanted: frozenset[str] | None
) -> Iterator[bytes | Part]:
    yield b"{"
    comma = ""
    for name in cursor.members():
        if wanted is not None and name not in wanted:
            cursor.skip()
            continue
        yield f'{comma}"{name}":'.encode()
        comma = ","
        inner = (parts.get(name), name) if "*" not in parts else (parts["*"], "")
        yield from _split_value(cursor, inner[0], (*path, inner[1]))
    yield b"}"


def _split_value(cursor: Cursor, parts: Any, path: tuple[str, ...]) -> Iterator[bytes | Part]:
    """A value in order, as bytes and parts. `parts`: how it is cut (see PARTS); None: one part."""
    if not isinstance(parts, (dict, list)) or not cursor.is_at_container():
        yield Part(cursor.take(), path)
    elif isinstance(parts, dict):
        yield from _split_object(cursor, parts, path, None)
    else:
        yield b"["
        for number, _ in enumerate(cursor.elements()):
            yield b"," if number else b""
            yield from _split_value(cursor, parts[0], path)
        yield b"]"
