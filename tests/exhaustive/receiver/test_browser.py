"""The receiver's pages in a real browser: desktop and phone, light and dark, with no, one and ten
thousand runs.

Skipped if playwright or a Chromium is missing. TFEVENTS_TEST_SCREENSHOTS names a directory for
screenshots.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.machine import KEY, Machine
from support.received import fill
from support.receiver import Receiver

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ALONE = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=ALONE)


@pytest.fixture(scope="module", params=[0, 1, 10_000])
def filled(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Receiver]:
    """A receiver with no, one or ten thousand runs."""
    home = tmp_path_factory.mktemp(f"runs-{request.param}")
    fill(home, request.param)
    with Receiver(home) as running:
        yield running


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver without events."""
    with Receiver(tmp_path / "receiver") as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_can_be_read_by_everybody(
    browser: Any, filled: Receiver, size: str, scheme: str
) -> None:
    """On every page axe-core finds no violation, nothing is too wide, the browser's console has no
    message (such as a violation of the content security policy), and no other server is
    requested."""
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    with browser.new_context(viewport=viewport, color_scheme=scheme) as context:
        page = context.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        for name, path in find_pages(filled).items():
            page.goto(filled.url + path)
            page.wait_for_selector("#live:not([hidden])")
            keep_screenshot(page, f"{filled.home.name}-{name}-{size}-{scheme}")
            found = axe.Axe().run(page).response["violations"]
            assert [(one["impact"], one["id"]) for one in found] == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert complaints == []
        assert asked
        assert [url for url in asked if not url.startswith(filled.url)] == []


@pytest.mark.parametrize("size", SIZES)
def test_the_longest_texts_widen_no_page(browser: Any, empty: Receiver, size: str) -> None:
    """With the longest texts no page becomes too wide; lists show a few lines of each, and the
    run's own page shows the whole text."""
    long = "w" * 500
    about = dict.fromkeys(("git_branch", "git_commit_message", "pipeline_name"), long)
    counts = dict.fromkeys(("added", "changed", "deleted", "unchanged"), 2**63 - 1)
    metadata = {**about, "activity_type": "apply", "resource_counts": counts}
    empty.send(
        {"event_type": "failed", "metadata": metadata, "data": {long: long}}, long, "p" * 128
    )
    width, height = SIZES[size]
    with browser.new_context(viewport={"width": width, "height": height}) as context:
        page = context.new_page()
        for path in ("/", "/workspaces"):
            page.goto(empty.url + path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for box in page.query_selector_all(".card, .run"):
                assert box.bounding_box()["height"] < height / 2
        page.goto(empty.url)
        page.click(".run .name")
        page.wait_for_selector(".detail")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.text_content("h1").count("w") >= len(long)


def find_pages(receiver: Receiver) -> dict[str, str]:
    """The paths of the pages by name; a run's page only if there is a run."""
    pages = {"index": "/", "workspaces": "/workspaces"}
    activities = receiver.list_activities("platform").json()
    return {**pages, "run": f"/runs/{activities[0]['id']}"} if activities else pages


def keep_screenshot(page: Any, name: str) -> None:
    """Stores a screenshot if TFEVENTS_TEST_SCREENSHOTS is set."""
    if directory := os.environ.get("TFEVENTS_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}.png")


def test_a_run_appears_while_somebody_looks(
    browser: Any, empty: Receiver, machine: Machine
) -> None:
    """A new run appears on the open page within a second of its end, without a reload."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(empty.url)
        page.wait_for_selector("#live:not([hidden])")
        page.evaluate("window.same = true")
        env = machine.reporting_to(empty.url, "seen-live", TFEVENTS_API_KEY=KEY)
        assert machine.tf("apply", "-auto-approve", at=machine.project(), env=env).returncode == 0
        page.wait_for_selector(".run.good .name:has-text('seen-live')", timeout=1000)
        assert page.evaluate("window.same")
        assert page.text_content(".run .number.added") == "+1"


def test_the_keyboard_is_enough(browser: Any, empty: Receiver) -> None:
    """Tab reaches the skip link first and then the run; the focus stays when the page is updated,
    and Enter opens the run."""
    empty.send({"event_type": "active", "data": {"run_id": "first"}}, "first")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(empty.url)
        page.wait_for_selector("#live:not([hidden])")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        focused = "document.activeElement.closest('.run') !== null"
        presses = 0
        while not page.evaluate(focused):
            page.keyboard.press("Tab")
            presses += 1
            assert presses < 30
        empty.send({"event_type": "failed", "data": {"run_id": "second"}}, "second")
        page.wait_for_selector(".run.bad")
        assert page.evaluate(focused)
        page.keyboard.press("Enter")
        page.wait_for_selector(".detail.good")


def test_it_can_be_read_without_a_script(browser: Any, empty: Receiver) -> None:
    """Runs, their pages and their events can be read without JavaScript."""
    empty.send({"event_type": "active", "metadata": {"git_branch": "main"}}, "unscripted")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(empty.url)
        page.click(".run .name:has-text('unscripted')")
        assert '"git_branch": "main"' in page.text_content("pre")


def test_nothing_that_is_sent_is_run(browser: Any, empty: Receiver) -> None:
    """HTML and scripts in an event are not executed, neither when the open page is updated nor on
    the run's page."""
    hostile = "<img src=x onerror='window.hit=1'><script>window.hit=1</script>"
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(empty.url)
        page.wait_for_selector("#live:not([hidden])")
        metadata = {"git_branch": hostile, "pipeline_name": hostile, "cost_total_monthly": hostile}
        empty.send({"event_type": "failed", "metadata": metadata}, hostile)
        page.wait_for_selector(".run.bad")
        assert page.evaluate("window.hit") is None
        page.click(".run .name")
        page.wait_for_selector(".detail")
        assert page.evaluate("window.hit") is None
