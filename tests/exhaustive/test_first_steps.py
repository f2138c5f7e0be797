"""The README's commands work as written, for a user with a new clone of the repository."""

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
"""For each installer the command that installs tfevents, and the one that puts its directory on
PATH."""
APPLIED = "Resources: 3 added"
SOME_TESTS = "tests/integration/journal"

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Iterator[FreshSystem]:
    """A freshly installed system."""
    need_tools("git")
    with install_system(request.param) as installed:
        yield installed


@pytest.mark.parametrize("system", SYSTEMS, indirect=True)
def test_the_two_commands_work_as_written(system: FreshSystem) -> None:
    """The README's commands for installing and for testing work as written; all tests are
    collected, and some of them are run."""
    said = system.run(USER, f"cd tfevents && {INSTALL}")
    assert APPLIED in said
    assert "tfevents: active (3 added), kept in the journal" in said
    said = system.run(USER, f"cd tfevents && {TEST} --collect-only -q && pytest {SOME_TESTS}")
    assert re.search(r"\d passed", said)


@pytest.mark.parametrize("system", [IMAGE], indirect=True)
def test_roots_command_works_as_written(system: FreshSystem) -> None:
    """The README's install command works for root, as in a container image without other users."""
    assert APPLIED in system.run("root", f"cd tfevents && {INSTALL}")


@pytest.mark.parametrize(
    ("system", "user"), [("Debian 13", USER), (IMAGE, "root")], indirect=["system"]
)
@pytest.mark.parametrize("installer", INSTALLERS)
def test_an_installer_puts_both_commands_on_path(
    system: FreshSystem, user: str, installer: str
) -> None:
    """After pipx or uv has installed tfevents, both commands are on PATH in the next shell, as the
    README says."""
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
