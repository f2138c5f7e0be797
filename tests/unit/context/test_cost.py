"""Infracost's documents become the contract's cost fields."""

from __future__ import annotations

import json
from time import perf_counter
from typing import Any

import pytest

from tfevents.context import cost
from tfevents.context.cost import Cost, parse_cost
from tfevents.errors import UnreadableDocument


def breakdown(total: Any) -> dict[str, Any]:
    return {"resources": [{"name": "aws_x.y"}], "totalHourlyCost": "1", "totalMonthlyCost": total}


def project(total: Any, past: Any, diff: Any, **metadata: str) -> dict[str, Any]:
    return {
        "name": "n",
        "metadata": {"path": "p", "type": "terraform_dir", **metadata},
        "breakdown": breakdown(total),
        "pastBreakdown": breakdown(past),
        "diff": breakdown(diff),
        "summary": {},
    }


def document(*projects: dict[str, Any], **members: Any) -> bytes:
    root = {
        "version": "0.2",
        "currency": "USD",
        "projects": list(projects),
        "totalMonthlyCost": "30",
        "pastTotalMonthlyCost": "20",
        "diffTotalMonthlyCost": "10",
        "timeGenerated": "2026-01-01T00:00:00Z",
        "summary": {},
    }
    return json.dumps({**root, **members}).encode()


DEV = project("1", "2", "-1", vcsSubPath="live/dev")
PROD = project("5", "4", "1", vcsSubPath="live/prod", path="/ci/repo/live/prod")
PLAN = project("6", "6", "0", path="live/data/plan.json", type="terraform_plan_json")
TOTALS, OF_DEV, OF_PROD, OF_PLAN = "30", "1", "5", "6"


def amounts(version: str, total: str, past: str, diff: str) -> bytes:
    """A document with these amounts, written as given."""
    return (
        f'{{"version": "{version}", "currency": "EUR", "projects": [], "totalMonthlyCost": {total},'
        f' "pastTotalMonthlyCost": {past}, "diffTotalMonthlyCost": {diff}}}'
    ).encode()


def test_the_totals_of_a_document() -> None:
    """A document's totals give all five cost fields, with the amounts as they are written."""
    text = amounts("0.2", '"1361.3075"', '"1204.960"', '"156.3475"')
    assert parse_cost(text, "x", "default") == Cost(
        "EUR", "1361.3075", "1204.960", "156.3475", "12.9753"
    )


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ('"2.034630136986301358333"', "2.034630136986301358333"),
        ('"0"', "0"),
        ('"-0.10"', "-0.10"),
        ("12.340", "12.340"),
        ("-7", "-7"),
        ("1.5e2", "1.5e2"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("null", None),
        ('""', None),
    ],
)
@pytest.mark.parametrize("version", ["0.2", "0.3"])
def test_an_amount_is_the_documents_own_text(version: str, text: str, amount: str | None) -> None:
    """Amounts are kept as written, never converted to a float; they may be texts, numbers
    (announced for version 0.3) or null."""
    assert parse_cost(amounts(version, text, "null", "null"), "", "").cost_total_monthly == amount


@pytest.mark.parametrize(
    ("diff", "past", "percentage"),
    [
        ("10", "20", "50"),
        ("-10", "20", "-50"),
        ("1", "3", "33.3333"),
        ("2", "3", "66.6667"),
        ("0.0000005", "1", "0"),  # 0.00005 is half of 0.0001: rounded to even
        ("0.0000015", "1", "0.0002"),
        ("-0.0000015", "1", "-0.0002"),
        ("0.0000005000000000000000000000000000000001", "1", "0.0001"),
        ("0", "20", "0"),
        ("-0", "20", "0"),
        ("100", "1", "10000"),
        ("123456789012345678901234567890", "1", "12345678901234567890123456789000"),
        ("1e2", "2E+2", "50"),
        ("10", "0", None),
        ("10", "0.00", None),
    ],
)
def test_the_percentage(diff: str, past: str, percentage: str | None) -> None:
    """The percentage is relative to the past total, has at most four decimals, is rounded half to
    even and has no trailing zeros; it is None if the past total is zero."""
    found = parse_cost(amounts("0.2", '"1"', f'"{past}"', f'"{diff}"'), "", "")
    assert found.cost_total_monthly_percentage_change == percentage


def test_what_the_document_lacks_is_absent() -> None:
    """A document without a past total gives a total and no change."""
    found = parse_cost(
        b'{"version": "0.2", "currency": "USD", "totalMonthlyCost": "3"}', "x", "default"
    )
    assert found.as_json() == {"cost_currency": "USD", "cost_total_monthly": "3"}
    assert parse_cost(b'{"version": "0.2", "currency": "?"}', "x", "default").as_json() == {}


@pytest.mark.parametrize(
    ("directory", "total"),
    [
        ("live/dev", OF_DEV),
        ("./live/dev/", OF_DEV),
        ("/ci/repo/live/dev", OF_DEV),
        ("live/prod", OF_PROD),
        ("/ci/repo/live/prod", OF_PROD),
        ("live", TOTALS),
        ("prod", TOTALS),
        ("live/prod2", TOTALS),
        ("elsewhere/live", TOTALS),
    ],
)
def test_the_project_of_the_runs_directory(directory: str, total: str) -> None:
    """The project is found by the run's directory, relative to the git root or absolute; if none
    matches, the document's totals are used."""
    assert parse_cost(document(DEV, PROD), directory, "default").cost_total_monthly == total


@pytest.mark.parametrize("directory", ["live/data", "/ci/repo/live/data"])
def test_the_project_of_a_plan_file(directory: str) -> None:
    """If a project's path is a plan file, the file's directory is compared with the run's."""
    other = project("7", "7", "0", path="live/other/plan.json", type="terraform_plan_json")
    assert parse_cost(document(PLAN, other), directory, "default").cost_total_monthly == OF_PLAN


@pytest.mark.parametrize("directory", ["", "."])
def test_the_project_at_the_git_root(directory: str) -> None:
    """A project without vcsSubPath is at the git root: Infracost leaves the field out there."""
    root = project("8", "8", "0", path="/ci/repo")
    assert parse_cost(document(root, DEV), directory, "default").cost_total_monthly == "8"


def test_the_project_of_the_runs_workspace() -> None:
    """A project without a workspace matches the `default` workspace; a project of another workspace
    never matches."""
    first = project("1", "1", "0", vcsSubPath="a")
    second = project("2", "2", "0", vcsSubPath="a", terraformWorkspace="ws1")
    both = document(first, second)
    assert parse_cost(both, "a", "default").cost_total_monthly == "1"
    assert parse_cost(both, "a", "ws1").cost_total_monthly == "2"
    only = document(second, project("3", "3", "0", vcsSubPath="b"))
    assert parse_cost(only, "a", "ws2").cost_total_monthly == TOTALS


def test_a_project_that_names_no_workspace_is_any() -> None:
    """A project without a workspace matches every workspace, because Infracost only writes a
    workspace that was given to it."""
    assert parse_cost(document(DEV, PROD), "live/dev", "blue").cost_total_monthly == OF_DEV


def test_two_that_match_alike_are_nobodys() -> None:
    """If two projects match equally well, there are no amounts, unless both have the same."""
    pair = document(DEV, project("9", "9", "0", vcsSubPath="live/dev"), PROD)
    assert parse_cost(pair, "live/dev", "default").as_json() == {"cost_currency": "USD"}
    same = document(DEV, DEV, PROD)
    assert parse_cost(same, "live/dev", "default").cost_total_monthly == OF_DEV


def test_one_project_is_the_document() -> None:
    """If a document has only one project, its totals are the run's, whatever directory the project
    is in."""
    assert parse_cost(document(DEV), "elsewhere", "ws").cost_total_monthly == TOTALS


def test_a_project_with_errors_has_no_amounts() -> None:
    """A project that Infracost could not calculate has no amounts; a project without path or
    metadata is no error."""
    broken = {"name": "x", "metadata": {"path": "bad"}, "breakdown": None}
    assert parse_cost(document(broken, DEV), "bad", "default").cost_total_monthly == TOTALS
    broken["metadata"] = {"path": "x", "vcsSubPath": "bad"}
    assert parse_cost(document(broken, DEV), "bad", "default").as_json() == {"cost_currency": "USD"}
    nowhere = {"name": "x", "metadata": {"type": "error"}}
    assert parse_cost(document(nowhere, nowhere), "x", "default").cost_total_monthly == TOTALS
    assert (
        parse_cost(document({"name": "x"}, DEV), "live/dev", "default").cost_total_monthly == OF_DEV
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "this is not Infracost JSON: "),
        (b"[]", "this is not Infracost JSON: "),
        (b'{"format_version": "1.2"}', "this is not Infracost JSON: "),
        (b'{"version": "0.2", "projects": 1}', "this is not Infracost JSON: "),
        (
            b'{"version": "1.0"}',
            "Infracost JSON has version '1.0', this tfevents knows 0.2 and 0.3",
        ),
        (amounts("0.3", "NaN", "1", "1"), "this is not Infracost JSON: "),
        (amounts("0.3", "Infinity", "1", "1"), "this is not Infracost JSON: "),
        (amounts("0.2", '"NaN"', "1", "1"), "its monthly total is not an amount"),
        (amounts("0.2", '"1,5"', "1", "1"), "its monthly total is not an amount"),
        (amounts("0.2", '" 1"', "1", "1"), "its monthly total is not an amount"),
        (amounts("0.2", '"\\u0661"', "1", "1"), "its monthly total is not an amount"),
        (amounts("0.3", "true", "1", "1"), "its monthly total is not an amount"),
        (amounts("0.3", "[1]", "1", "1"), "its monthly total is not an amount"),
        (amounts("0.3", "1", "1e999999999", "1"), "its monthly past total is not an amount"),
        (amounts("0.3", "1", "1", "1e-999999999"), "its monthly difference is not an amount"),
        (amounts("0.3", "1", "1", "9" * 100_000), "its monthly difference is not an amount"),
        (b'{"version": "0.2", "summary": ' + b"[" * 1_000_000, "this is not Infracost JSON: "),
    ],
    ids=range(17),
)
def test_what_is_no_such_document_is_one_line(text: bytes, message: str) -> None:
    """Any other document is refused within a second, with a message of one line."""
    start = perf_counter()
    with pytest.raises(UnreadableDocument) as caught:
        parse_cost(text, "x", "default")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert perf_counter() - start < 1


def test_the_size_is_bounded() -> None:
    """A document of more than 64 MiB is refused."""
    with pytest.raises(UnreadableDocument, match="larger than 64 MiB"):
        parse_cost(b" " * (cost.MAX_BYTES + 1), "x", "default")


def test_powershells_redirection_is_read() -> None:
    """UTF-16 is read: PowerShell writes it for `infracost … > cost.json`."""
    text = amounts("0.2", '"1"', "null", "null").decode()
    assert parse_cost(text.encode("utf-16"), "x", "default").cost_total_monthly == "1"


def test_every_field_is_the_contracts() -> None:
    """The names are those of the contract's cost fields."""
    found = parse_cost(amounts("0.2", '"1"', '"2"', '"3"'), "x", "default")
    assert set(found.as_json()) == {
        "cost_currency",
        "cost_total_monthly",
        "cost_past_total_monthly",
        "cost_diff_total_monthly",
        "cost_total_monthly_percentage_change",
    }


KEPT = {
    "version": "0.2",
    "currency": "USD",
    "projects": [
        {
            "name": "infra",
            "metadata": {"type": "terraform_dir", "vcsSubPath": "live"},
            "breakdown": {
                "resources": [
                    {
                        "name": "aws_instance.web",
                        "resourceType": "aws_instance",
                        "monthlyCost": "1e2",
                        "costComponents": [
                            {
                                "name": "Instance usage",
                                "unit": "hours",
                                "monthlyQuantity": 730,
                                "price": "0.1",
                                "usageBased": True,
                            }
                        ],
                        "subresources": [{"name": "root_block_device", "monthlyCost": 0.8}],
                    }
                ],
                "totalMonthlyCost": "-3.50",
            },
        }
    ],
    "totalMonthlyCost": "",
}
"""A document in which every field is known."""


def test_what_is_stored_is_written_anew_with_known_fields() -> None:
    """The stored document has only the known fields, at every level, and nothing from before or
    after the JSON."""
    document = json.loads(json.dumps(KEPT))
    project = document["projects"][0]
    resource = project["breakdown"]["resources"][0]
    project["metadata"]["path"] = "/home/canary"
    for place in (document, project, project["metadata"], project["breakdown"], resource):
        place["odd"] = place["tags"] = {"canary": "canary"}
    resource["costComponents"][0]["canary"] = resource["subresources"][0]["metadata"] = ["canary"]
    stored = cost.redact_document(
        b"canary\n" + json.dumps(document, indent=1).encode() + b"\ncanary"
    )
    assert json.loads(stored) == KEPT


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        '{"canary": "x"}',
        '{"version": "9.9", "canary": "x"}',
        '{"version": "0.2", "totalMonthlyCost": "canary"}',
        '{"version": "0.2", "totalHourlyCost": "canary"}',
        '{"version": "0.2", "projects": [{"breakdown": {"resources": [{"hourlyCost": "1 x"}]}}]}',
        '{"version": "0.2", "projects": [{"breakdown": {"resources": [{"hourlyCost": "1\\n"}]}}]}',
        '{"version": "0.2", "projects": [{"name": {}}]}',
    ],
)
def test_what_is_not_understood_is_not_stored(text: str) -> None:
    """A document with an unknown version or a value of the wrong form is refused; the message
    quotes none of its values."""
    with pytest.raises(UnreadableDocument) as caught:
        cost.redact_document(text.encode())
    assert "canary" not in str(caught.value)
