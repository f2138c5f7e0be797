"""Each file of `hooks/`, run as its host runs it, with the real terraform and an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.engines import terraform
from support.exhaustive import exhaustive_except
from support.hosts.field import (
    APPLIED,
    APPLY_FAILED,
    BEGUN,
    KEY,
    PLAN_FAILED,
    PLANNED,
    Field,
    field,
)
from support.hosts.hosts import HOSTS, Host, buildkite, spacelift_custom
from support.paths import HOOKS
from support.setup_action import install_wrapper

BY_NAME = {host.name: host for host in HOSTS}
HEARING = [name for name, host in BY_NAME.items() if host.hears and host.says]
QUICK = ("github",)
ONE = ("jenkins",)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Host:
    """The host with the name that the test's parameter gives."""
    return BY_NAME[request.param]


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Iterator[Field]:
    with field(tmp_path) as place:
        yield place


def counted(event: tuple, known: bool) -> tuple:
    """The event if its number of added resources can be known, else the event without the
    number."""
    return event if known else (*event[:3], None)


@pytest.mark.parametrize("host", exhaustive_except(BY_NAME, *QUICK), indirect=True)
def test_a_plan_and_its_apply_are_told_once_each(host: Host, place: Field) -> None:
    """A plan and its apply are delivered once each, with counts if the host gives access to the
    plan, and without a claim about the plan otherwise."""
    assert host.play(place, "plan") == 0
    assert host.play(place, "apply") == 0
    told = place.told()
    assert place.endpoint.events == place.events
    assert (place.directory / "key").read_text().strip() == ("" if host.hides else KEY)
    if host.planned:
        assert told == [PLANNED, BEGUN, counted(APPLIED, host.applied)]
    elif host.says:
        assert [event[1:] for event in told] == [("apply", None, None), ("apply", "success", None)]
    else:
        assert told[0][1:] == ("apply", None, None)


@pytest.mark.parametrize("host", exhaustive_except(HEARING, *ONE), indirect=True)
@pytest.mark.exhaustive
def test_an_apply_that_fails_is_told_as_failed(host: Host, place: Field) -> None:
    """An apply that fails is recorded with one start event and one failure."""
    assert host.play(place, "plan") == 0
    place.failing("apply")
    assert host.play(place, "apply") != 0
    told = [event[:3] for event in place.told() if event[1] == "apply"]
    assert told == [BEGUN[:3], APPLY_FAILED]


@pytest.mark.exhaustive
@pytest.mark.parametrize("host", exhaustive_except(HEARING, *ONE), indirect=True)
def test_a_plan_that_fails_and_its_retry_are_two_runs(host: Host, place: Field) -> None:
    """A plan that fails and its retry are two runs; the job exits with terraform's exit code."""
    place.failing("plan")
    assert host.play(place, "plan") == 1
    assert [event[:3] for event in place.told()] == [PLAN_FAILED]
    (place.directory / "fail-plan").unlink()
    assert host.play(place, "plan") == 0
    seen = ["success"] if host.planned else []
    assert [event[2] for event in place.told()] == ["failure", *seen]
    assert len({event["data"]["run_id"] for event in place.events}) == 1 + len(seen)


@pytest.mark.exhaustive
def test_the_exit_code_on_github_is_terraforms_under_a_wrapper(
    place: Field, tmp_path: Path
) -> None:
    """On GitHub, the event has terraform's exit code 2, although the wrapper of setup-terraform
    exits with 0 and gives the 2 as an output."""
    own = install_wrapper(tmp_path / "cli", terraform())
    path = f"{tmp_path / 'cli'}:{place.env['PATH']}"
    detailed = {"TF_CLI_ARGS_plan": "-detailed-exitcode"}
    wrapped = replace(place, env={**place.env, **own, **detailed, "PATH": path})
    assert BY_NAME["github"].play(wrapped, "plan") == 0
    assert place.told() == [PLANNED]
    assert place.events[0]["data"]["exit_code"] == "2"


@pytest.mark.exhaustive
def test_buildkites_plan_reaches_another_agent(place: Field) -> None:
    """On Buildkite, the plan of a configuration in a subdirectory reaches another agent by the
    artifacts alone."""
    part = place.directory / "infra dir"
    part.mkdir()
    (place.directory / "main.tf").rename(part / "main.tf")
    assert buildkite(place, "plan", TF_DIR=part.name) == 0
    (part / "run.tfplan").unlink()
    assert buildkite(place, "apply", TF_DIR=part.name) == 0
    assert place.told() == [PLANNED, BEGUN, APPLIED]


TARGETS = """\
resource "terraform_data" "at" {
  for_each = toset(["it's", "a <b> & $HOME `c` \\"d\\"", "untouched"])
}
"""


@pytest.mark.exhaustive
def test_spacelifts_targets_reach_terraform_as_they_are(place: Field) -> None:
    """Spacelift's targets reach terraform unchanged, with quotes and other characters that are
    special to a shell."""
    (place.directory / "main.tf").write_text(TARGETS)
    keys = ("it's", 'a <b> & $HOME `c` \\"d\\"')
    targets = [f'terraform_data.at["{key}"]' for key in keys]
    assert spacelift_custom(place, "plan", *targets) == 0
    assert place.told() == [("apply_needed", "plan", "success", 2)]


SCRIPT, MAKE = f"{HOOKS}/make/terraform.sh", f"make -f {HOOKS}/make/Makefile"


@pytest.mark.exhaustive
def test_terraforms_own_words_are_known_as_tf_knows_them(place: Field) -> None:
    """hooks/make/terraform.sh and `tf` find the same directory, plan file and options in
    terraform's arguments, so that their events are the same."""
    part = place.directory / "infra"
    part.mkdir()
    (place.directory / "main.tf").rename(part / "main.tf")
    words = "-chdir=infra plan -input=false -refresh=false -target=terraform_data.kept -out=x"
    for line in (f"{SCRIPT} -chdir=infra init", f"{SCRIPT} {words}", f"tf {words}"):
        assert place.sh(line) == 0
    hooked, wrapped = place.events
    assert hooked["metadata"] == wrapped["metadata"]
    assert hooked["metadata"]["resource_counts"]["added"] == 2
    names = ("directory", "partial", "exit_code", "counts")
    assert [hooked["data"].get(name) for name in names] == [
        wrapped["data"].get(name) for name in names
    ]


@pytest.mark.exhaustive
def test_the_makefile_tells_its_words(place: Field) -> None:
    """The Makefile passes its arguments on to the hooks: after a destroy with -target the workspace
    is still active."""
    place.sh("terraform init -input=false && terraform apply -auto-approve")
    last = "DESTROY_ARGUMENTS=-auto-approve -target=terraform_data.last"
    assert place.sh(f"{MAKE} destroy '{last}'") == 0
    assert [event[:3] for event in place.told()] == [
        ("destroying", "destroy", None),
        ("active", "destroy", "success"),
    ]


@pytest.mark.exhaustive
def test_a_failure_that_digger_tells_nobody_is_closed_by_the_next_run(place: Field) -> None:
    """Digger's workflow ends at the failing step without a hook, so the before hook of the next run
    records the failure."""
    (digger,) = [host for host in HOSTS if host.name == "digger"]
    place.failing("plan")
    assert digger.play(place, "plan") == 1
    assert place.told() == []
    (place.directory / "fail-plan").unlink()
    assert digger.play(place, "plan") == 0
    assert [event[:3] for event in place.told()] == [PLAN_FAILED, PLANNED[:3]]


@pytest.mark.exhaustive
def test_the_agent_of_hcp_terraform_tells_no_outcome(place: Field) -> None:
    """HCP Terraform's agent does not pass on the outcome: a failed apply is recorded neither as a
    success nor as active."""
    (agent,) = [host for host in HOSTS if host.name == "hcp-terraform"]
    agent.play(place, "plan")
    place.failing("apply")
    agent.play(place, "apply")
    assert {event[2] for event in place.told()} == {None}
    assert {event[0] for event in place.told()[1:]} & {"active", "inactive"} == set()
