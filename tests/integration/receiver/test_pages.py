"""The pages of `tfevents receive`, read without a browser: what they show, and that events can't
add elements or scripts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from support.received import fill
from support.receiver import Receiver

COUNTS = {"added": 3, "changed": 1, "deleted": 0, "unchanged": 96}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str]:
        return [about["href"] or "" for tag, about in self.elements if tag == "a"]


def read(receiver: Receiver, path: str) -> Reader:
    """The page at `path`, whose status must be 200."""
    answer = receiver.http.get(path)
    assert answer.status_code == 200, answer.text
    return Reader(answer.text)


def find_run(receiver: Receiver, workspace: str) -> Reader:
    """The page of a workspace's latest run, by the link on the index page."""
    found = read(receiver, f"/?q={workspace}")
    return read(receiver, next(link for link in found.links if link.startswith("/runs/")))


def test_a_run_is_one_row_and_its_page_has_all_events(receiver: Receiver) -> None:
    """A run is one row of the index page; its own page has counts as a picture with a text label,
    cost, links, and the events as they were sent."""
    about = {
        "activity_type": "apply",
        "git_commit_sha": "a" * 40,
        "git_repo": "https://github.com/acme/estate.git",
        "pipeline_name": "Deploy",
        "pipeline_execution_number": "7",
        "cost_total_monthly": "1234.5",
        "cost_currency": "USD",
        "trigger": {"url": "https://ci.example/7"},
    }
    data = {"run_id": "one-run", "started_at": "2026-11-28T10:00:00Z"}
    receiver.send({"event_type": "provisioning", "metadata": about, "data": data}, "whole")
    data = {**data, "finished_at": "2026-11-28T10:01:05.5Z"}
    end = {**about, "resource_counts": COUNTS, "drift_counts": COUNTS, "activity_status": "success"}
    receiver.send({"event_type": "active", "metadata": end, "data": data}, "whole")
    index = read(receiver, "/?q=whole")
    assert len([link for link in index.links if link.startswith("/runs/")]) == 1
    run = find_run(receiver, "whole")
    words = [a.get("aria-label") for tag, a in run.elements if tag == "svg" and a.get("role")]
    assert words == [f"{name}: 3 added, 1 changed, 96 unchanged" for name in ("Resources", "Drift")]
    for text in ("1,234.50 USD", "1 min 6 s", '"event_type": "provisioning"', "Deploy #7"):
        assert text in run.text
    assert f"https://github.com/acme/estate/commit/{'a' * 40}" in run.links
    assert "https://ci.example/7" in run.links


@pytest.mark.exhaustive
def test_what_needs_somebody_comes_first(tmp_path: Path) -> None:
    """The index page begins with the workspaces' worst status; workspaces are in the order failed,
    drifted, to be applied, active, whatever their age."""
    with Receiver(tmp_path) as running:
        for status in ("drifted", "failed", "apply_needed", "active"):
            running.send({"event_type": status}, f"is-{status}")
        running.send({"event_type": "stage-complete"}, "is-active")
        for path in ("/", "/workspaces"):
            links = [link for link in read(running, path).links if link.startswith("/?w=")]
            assert links == ["/?w=2", "/?w=1", "/?w=3", "/?w=4"]
        assert "1 of 4 workspaces failed" in read(running, "/").text
        running.send({"event_type": "active"}, "is-failed")
        assert "1 of 4 workspaces drifted" in read(running, "/").text


def test_nothing_that_is_sent_becomes_a_part_of_the_page(receiver: Receiver) -> None:
    """The values of an event add no elements, no links other than http and https, and no characters
    that change the direction of text."""
    about = {
        "git_branch": HOSTILE,
        "git_commit_message": HOSTILE + "\u202e",
        "git_commit_sha": HOSTILE,
        "git_repo": "javascript:alert(1)",
        "pipeline_name": HOSTILE,
        "cost_total_monthly": HOSTILE,
        "trigger": {"url": "javascript:alert(1)", "actor": HOSTILE},
    }
    name = "hostile" + HOSTILE
    data = {HOSTILE: HOSTILE, "run_id": HOSTILE, "lone": "\ud800"}
    receiver.send({"event_type": "failed", "metadata": about, "data": data}, name)
    for page in (find_run(receiver, "hostile"), read(receiver, "/"), read(receiver, "/workspaces")):
        assert HOSTILE in page.text
        assert "\u202e" not in page.text
        assert not [link for link in page.links if link.startswith("javascript:")]
        scripts = [about["src"] for tag, about in page.elements if tag == "script"]
        assert scripts == ["/static/live.js"]
        assert "img" not in dict(page.elements)
        names = {name for _, about in page.elements for name in about}
        assert not [name for name in names if name.startswith("on") or name == "style"]


def test_a_cost_beyond_all_numbers(receiver: Receiver) -> None:
    """A cost that is too large to calculate with is shown as it was sent."""
    about = {"activity_type": "plan", "cost_total_monthly": "9e9999999"}
    receiver.send({"event_type": "active", "metadata": about}, "costly")
    assert "9e9999999" in find_run(receiver, "costly").text
    read(receiver, "/workspaces")


def test_only_our_own_files_may_be_used(receiver: Receiver) -> None:
    """The Content-Security-Policy allows neither inline code nor other servers' files, and the
    index page refers to the receiver's own files only."""
    answer = receiver.http.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, about in Reader(answer.text).elements:
        address = about.get("src") or (about.get("href") if tag == "link" else None) or "/"
        assert address.startswith("/"), address
    for path in ("style.css", "live.js", "icon.svg"):
        assert receiver.http.get(f"/static/{path}").status_code == 200


def test_what_is_not_there(receiver: Receiver) -> None:
    """An unknown run gives a 404; invalid query parameters are ignored."""
    assert receiver.http.get("/runs/nobody").status_code == 404
    for query in ("page=x", "w=x", "w=0", "page=99999999999", "status=no-such", "q=%00"):
        assert receiver.http.get(f"/?{query}").status_code == 200


def test_news_come_at_once(receiver: Receiver) -> None:
    """The stream `/live` sends the number of the latest event as soon as a new one is received."""
    numbers: list[int] = []
    changed = threading.Condition()

    def follow() -> None:
        with httpx.stream("GET", receiver.url + "/live", trust_env=False, timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    with changed:
                        numbers.append(int(line.removeprefix("data: ")))
                        changed.notify()
                if len(numbers) == 2:
                    return

    thread = threading.Thread(target=follow)
    thread.start()
    with changed:
        assert changed.wait_for(lambda: len(numbers) == 1, 30)
    receiver.send({"event_type": "active"}, "news")
    thread.join(30)
    assert numbers[1] == numbers[0] + 1


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver with 230 runs."""
    home: Path = tmp_path_factory.mktemp("many")
    fill(home, 230)
    with Receiver(home) as running:
        yield running


@pytest.mark.exhaustive
def test_pages_lead_to_every_run(many: Receiver) -> None:
    """The links to older runs lead to every run, once each."""
    path, seen = "/", []
    while path:
        page = read(many, path)
        seen += [link for link in page.links if link.startswith("/runs/")]
        older = [a["href"] for tag, a in page.elements if tag == "a" and a.get("rel") == "next"]
        path = f"/{older[0]}" if older else ""
    assert (len(seen), len(set(seen))) == (230, 230)


@pytest.mark.exhaustive
def test_runs_of_one_workspace_or_status(many: Receiver) -> None:
    """The filters by status and name select runs and workspaces, and the links to other pages keep
    them."""
    page = read(many, "/?status=active&q=prod")
    assert "staging" not in page.text
    pills = {about.get("class") for tag, about in page.elements if tag == "span"}
    assert {name for name in pills if name and "pill" in name} == {"pill good"}
    assert all("status=active" in link for link in page.links if "page=" in link)
