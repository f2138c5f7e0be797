"""Reads the monthly cost of a run's infrastructure from the JSON that Infracost writes.

The format: https://www.infracost.io/docs/features/json_output_format/ and, field by field,
`schema/infracost.schema.json` in infracost/infracost. Version 0.2 has amounts in strings or null;
0.3, announced in infracost/infracost discussion 1278, has numbers.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

from msgspec import Struct
from msgspec.structs import asdict

from tfevents.errors import UnreadableDocument
from tfevents.readers.json.documents import ABSENT, Meta, Raw, decode, encode

MAX_BYTES = 64 * 1024 * 1024  # a thousand resources are 2 to 3 MB
DOCUMENT_NAME = "Infracost JSON"
# Bounded: computing with 1e999999999 or a megabyte of digits would take too long.
AMOUNT = re.compile(r"-?[0-9]{1,50}(\.[0-9]{1,100})?([eE][+-]?[0-9]{1,2})?")
Number = Annotated[str, Meta(pattern=rf"^({AMOUNT.pattern})?\Z")] | int | float | None
"""An amount as Infracost writes it: a string in version 0.2, a number in 0.3."""
CURRENCY = re.compile(r"[A-Za-z]{3}")
# Project types whose path is a file; for the other types it is a directory.
FILES = ("terraform_plan", "terraform_state")


class BreakdownJSON(Struct, rename="camel", gc=False):
    """`breakdown`, `pastBreakdown` or `diff` of a project; its resources are not decoded."""

    total_monthly_cost: Raw = ABSENT


class MetadataJSON(Struct, rename="camel", gc=False):
    """`projects[].metadata`: the project's location."""

    path: str | None = None
    type: str | None = None
    terraform_workspace: str | None = None
    vcs_sub_path: str | None = None  # relative to the git root; absent for a project at the root


class ProjectJSON(Struct, rename="camel", gc=False):
    """An element of `projects`."""

    metadata: MetadataJSON | None = None
    breakdown: BreakdownJSON | None = None
    past_breakdown: BreakdownJSON | None = None
    diff: BreakdownJSON | None = None


class RootJSON(Struct, rename="camel", gc=False):
    """The document that `infracost breakdown`, `diff` or `output --format json` writes."""

    version: str
    currency: str | None = None
    projects: list[ProjectJSON] | None = None
    total_monthly_cost: Raw = ABSENT
    past_total_monthly_cost: Raw = ABSENT
    diff_total_monthly_cost: Raw = ABSENT


# The same document with the members that are stored: amounts, quantities and their names


class KeptComponentJSON(Struct, rename="camel", omit_defaults=True):
    """An element of `costComponents`."""

    name: str | None = None
    unit: str | None = None
    hourly_quantity: Number = None
    monthly_quantity: Number = None
    price: Number = None
    hourly_cost: Number = None
    monthly_cost: Number = None
    usage_based: bool | None = None
    price_not_found: bool | None = None


class KeptResourceJSON(Struct, rename="camel", omit_defaults=True):
    """An element of `resources` or `subresources`."""

    name: str | None = None
    resource_type: str | None = None
    hourly_cost: Number = None
    monthly_cost: Number = None
    monthly_usage_cost: Number = None
    cost_components: list[KeptComponentJSON] | None = None
    subresources: list[KeptResourceJSON] | None = None


class KeptBreakdownJSON(Struct, rename="camel", omit_defaults=True):
    """`breakdown`, `pastBreakdown` or `diff` of a project."""

    resources: list[KeptResourceJSON] | None = None
    total_hourly_cost: Number = None
    total_monthly_cost: Number = None
    total_monthly_usage_cost: Number = None


class KeptMetadataJSON(Struct, rename="camel", omit_defaults=True):
    """The project's location, relative to the git root."""

    type: str | None = None
    terraform_workspace: str | None = None
    vcs_sub_path: str | None = None


class KeptProjectJSON(Struct, rename="camel", omit_defaults=True):
    """An element of `projects`."""

    name: str | None = None
    metadata: KeptMetadataJSON | None = None
    past_breakdown: KeptBreakdownJSON | None = None
    breakdown: KeptBreakdownJSON | None = None
    diff: KeptBreakdownJSON | None = None


class KeptJSON(Struct, rename="camel", omit_defaults=True):
    """The document that is stored."""

    version: str
    currency: str | None = None
    projects: list[KeptProjectJSON] | None = None
    total_hourly_cost: Number = None
    total_monthly_cost: Number = None
    total_monthly_usage_cost: Number = None
    past_total_hourly_cost: Number = None
    past_total_monthly_cost: Number = None
    past_total_monthly_usage_cost: Number = None
    diff_total_hourly_cost: Number = None
    diff_total_monthly_cost: Number = None
    diff_total_monthly_usage_cost: Number = None
    time_generated: str | None = None


class Cost(Struct, frozen=True):
    """The contract's cost fields, under their names; None if the document has no such amount.

    Amounts are the text that Infracost wrote. The percentage is the difference divided by the past
    total, with up to four decimals; None if the past total is zero.
    """

    cost_currency: str | None = None
    cost_total_monthly: str | None = None
    cost_past_total_monthly: str | None = None
    cost_diff_total_monthly: str | None = None
    cost_total_monthly_percentage_change: str | None = None

    def as_json(self) -> dict[str, str]:
        """The fields that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def parse_cost(data: bytes, directory: str, tf_workspace: str) -> Cost:
    """The cost of the run in `directory` (from the git root, or absolute) and `tf_workspace`.

    Of several projects, the amounts of the one that matches the run best; no amounts if several
    match equally well and differ. With one project, or none that matches, the document's totals.
    Raises UnreadableDocument.
    """
    root = _decode(data)
    projects = root.projects or []
    matching = (
        _find_matching_projects(projects, directory, tf_workspace) if len(projects) > 1 else []
    )
    found = {_read_project_cost(root, project) for project in matching}
    if len(found) > 1:  # one project for each tfvars file: the run's is unknown
        return _make_cost(root, ABSENT, ABSENT, ABSENT)
    return found.pop() if found else _read_document_totals(root)


def redact_document(data: bytes) -> bytes:
    """The document with only the members of KeptJSON, because others may contain secrets.

    Tags and files of resources and absolute paths are left out. Raises UnreadableDocument.
    """
    _read_document_totals(_decode(data))
    return encode(decode(data, KeptJSON, DOCUMENT_NAME))


def _read_document_totals(root: RootJSON) -> Cost:
    past, diff = root.past_total_monthly_cost, root.diff_total_monthly_cost
    return _make_cost(root, root.total_monthly_cost, past, diff)


def _read_project_cost(root: RootJSON, project: ProjectJSON) -> Cost:
    parts = (project.breakdown, project.past_breakdown, project.diff)
    return _make_cost(root, *(part.total_monthly_cost if part else ABSENT for part in parts))


def _decode(data: bytes) -> RootJSON:
    if len(data) > MAX_BYTES:
        raise UnreadableDocument(
            f"{DOCUMENT_NAME} is larger than {MAX_BYTES >> 20} MiB: give a smaller one"
        )
    root = decode(data, RootJSON, DOCUMENT_NAME)
    if not re.fullmatch(r"0\.[0-9]+(\..*)?", root.version):
        raise UnreadableDocument(
            f"{DOCUMENT_NAME} has version {root.version[:20]!r}, "
            "this tfevents knows 0.2 and 0.3: update it"
        )
    return root


def _make_cost(root: RootJSON, total: Raw, past: Raw, diff: Raw) -> Cost:
    before, change = _parse_amount(past, "past total"), _parse_amount(diff, "difference")
    known = CURRENCY.fullmatch(root.currency or "")
    return Cost(
        cost_currency=root.currency if known else None,
        cost_total_monthly=_parse_amount(total, "total"),
        cost_past_total_monthly=before,
        cost_diff_total_monthly=change,
        cost_total_monthly_percentage_change=_compute_percentage(change, before),
    )


def _parse_amount(raw: Raw, name: str) -> str | None:
    """The amount as text, from a JSON string or number; None for null and ""."""
    text = bytes(raw)
    if text in (b"null", b'""'):
        return None
    value = (text[1:-1] if text[:1] == b'"' else text).decode(errors="replace")
    if not AMOUNT.fullmatch(value):
        raise UnreadableDocument(
            f"this is not {DOCUMENT_NAME}: its monthly {name} is not an amount"
        )
    return value


def _compute_percentage(diff: str | None, past: str | None) -> str | None:
    """diff / past in percent, computed exactly, then rounded half to even; None if past is zero."""
    if diff is None or past is None or not Fraction(past):
        return None
    whole, fraction = divmod(abs(rounded := round(Fraction(diff) / Fraction(past) * 10**6)), 10**4)
    text = f"{whole}.{fraction:04}".rstrip("0").rstrip(".")
    return f"-{text}" if rounded < 0 else text


def _find_matching_projects(
    projects: Sequence[ProjectJSON], directory: str, tf_workspace: str
) -> list[ProjectJSON]:
    """The projects that match best, by path and then by workspace; empty if none matches."""
    rooted = any(project.metadata and project.metadata.vcs_sub_path for project in projects)
    scores = [
        (_score_match(project.metadata, directory, tf_workspace, rooted), project)
        for project in projects
    ]
    best = max((score for score, _ in scores), default=(0, 0))
    return [project for score, project in scores if score == best and best[0]]


def _score_match(
    metadata: MetadataJSON | None, directory: str, tf_workspace: str, rooted: bool
) -> tuple[int, int]:
    """How well a project matches: (number of matching path parts, 1 if its workspace is the run's).

    (0, 0) for another directory or another workspace. A project without a workspace matches every
    workspace, but unless the run's is `default`, less well than a project that names it.
    """
    if metadata is None or metadata.terraform_workspace not in (None, "", tf_workspace):
        return (0, 0)
    path = metadata.vcs_sub_path or ("." if rooted else metadata.path)
    if path is None:
        return (0, 0)
    paths = [path]
    if (metadata.type or "").startswith(FILES):
        paths.append(posixpath.dirname(path))
    parts = max(
        _count_matching_parts(posixpath.normpath(path), posixpath.normpath(directory))
        for path in paths
    )
    project_workspace = metadata.terraform_workspace or "default"
    return (parts, int(project_workspace == tf_workspace)) if parts else (0, 0)


def _count_matching_parts(path: str, directory: str) -> int:
    """The number of matching path parts: 1000 if the paths are equal; all parts of a relative path
    with which the other, absolute one ends; else 0."""
    if path == directory:
        return 1000
    short, long = sorted((path, directory), key=posixpath.isabs)
    relative = not posixpath.isabs(short) and posixpath.isabs(long) and short != "."
    return len(short.split("/")) if relative and long.endswith("/" + short) else 0
