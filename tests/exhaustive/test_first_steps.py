"""The README's commands as they are written, typed by somebody who has just cloned this."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from support.debian import need_tools
from support.fresh_system import IMAGE, SYSTEMS, USER, FreshSystem, install_system
from support.paths import README

INSTALL, TEST = re.findall(r"^\$ (python3 -m venv .*)$", README, re.MULTILINE)
INSTALLERS = {
    "pipx": ("pipx install .", "pipx ensurepath"),
    "uv": ("uv tool install .", "uv tool update-shell"),
}
"""Each with its command, and with the one that puts its folder on PATH."""
APPLIED = "Resources: 3 added"
SOME_TESTS = "tests/integration/journal"

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Iterator[FreshSystem]:
    need_tools("git")
    with install_system(request.param) as installed:
        yield installed


@pytest.mark.parametrize("system", SYSTEMS, indirect=True)
def test_the_two_commands_work_as_written(system: FreshSystem) -> None:
    """Of the tests all are found, and some are run."""
    said = system.run(USER, f"cd tfevents && {INSTALL}")
    assert APPLIED in said
    assert "tfevents: active (3 added), kept in the journal" in said
    said = system.run(USER, f"cd tfevents && {TEST} --collect-only -q && pytest {SOME_TESTS}")
    assert re.search(r"\d passed", said)


@pytest.mark.parametrize("system", [IMAGE], indirect=True)
def test_roots_command_works_as_written(system: FreshSystem) -> None:
    """As in an image, which has no other user."""
    assert APPLIED in system.run("root", f"cd tfevents && {INSTALL}")


@pytest.mark.parametrize(
    ("system", "user"), [("Debian 13", USER), (IMAGE, "root")], indirect=["system"]
)
@pytest.mark.parametrize("installer", INSTALLERS)
def test_an_installer_puts_both_commands_on_path(
    system: FreshSystem, user: str, installer: str
) -> None:
    """In the next shell, as the README says it; nothing else puts its folder on root's."""
    install, put_on_path = INSTALLERS[installer]
    assert f"`{install}`" in README
    assert put_on_path in " ".join(README.split())
    tools = "PATH=$HOME/tools/bin:$PATH; cd tfevents"
    system.run(user, f"python3 -m venv tools && tools/bin/pip install --quiet {installer}")
    system.run(user, f"{tools} && {install}")
    if user == "root":
        system.run(user, "! command -v tf")
    system.run(user, f"{tools} && {put_on_path}")
    system.run(user, "command -v tfevents")
    assert APPLIED in system.run(user, "cd tfevents/samples/quickstart && tf apply -auto-approve")
