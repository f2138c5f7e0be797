"""Artifacts: which kinds are stored, that the event has the id of each, and that no secret is
sent."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import Machine
from support.paths import ROOT
from support.step import HANG, Step, answer

HARNESS = {
    "HARNESS_ACCOUNT_ID": "acct",
    "HARNESS_PIPELINE_ID": "deploy",
    "HARNESS_STAGE_ID": "infra",
    "HARNESS_EXECUTION_ID": "exec-1",
    "HARNESS_BUILD_ID": "42",
    "PLUGIN_STAGE_EXECUTION_ID": "stage-exec-1",
    "DRONE_BUILD_EVENT": "push",
    "DRONE_COMMIT_SHA": "1" * 40,
    "DRONE_COMMIT_BRANCH": "main",
    "DRONE_COMMIT_MESSAGE": "a commit",
    "DRONE_REPO_LINK": "https://host.example/a/b",
}
QUERY = {
    "pipeline_id": ["deploy"],
    "stage_id": ["infra"],
    "pipeline_execution_id": ["exec-1"],
    "pipeline_stage_id": ["stage-exec-1"],
    "provisioner_type": ["tf"],
}
CONFIG = """
variable "secret" {
  sensitive = true
  default   = "canary-default"
}
module "inner" { source = "./inner" }
resource "terraform_data" "a" { input = var.secret }
output "o" {
  value     = terraform_data.a.output
  sensitive = true
}
output "open" { value = "open" }
"""
COST = {
    "version": "0.2",
    "currency": "USD",
    "projects": [],
    "totalMonthlyCost": "150",
    "pastTotalMonthlyCost": "100",
    "diffTotalMonthlyCost": "50",
}
KINDS = {
    "modules": "modules",
    "providers": "providers",
    "cost_breakdown": "cost_breakdown",
    "cost_diff": "cost_diff",
    "plan": "plan_human",
    "state": "state_raw",
}


@pytest.fixture
def project(machine: Machine) -> Path:
    """An initialised project with a module, a sensitive variable and output, and a cost file."""
    place = machine.project("project", CONFIG)
    (place / "inner").mkdir()
    (place / "inner" / "main.tf").write_text("")
    (place / "cost.json").write_text(json.dumps(COST))
    done = machine.bare("init", at=place)
    assert done.returncode == 0, done.stderr
    return place


def run(
    machine: Machine, endpoint: Endpoint, at: Path, *words: str, kinds: str, **more: str
) -> subprocess.CompletedProcess[str]:
    """Runs `tf` inside a Harness pipeline; `kinds` is the value of TFEVENTS_ARTEFACTS."""
    env = machine.reporting_to(endpoint.url, TFEVENTS_ARTEFACTS=kinds, TFEVENTS_TIMEOUT="60")
    done = machine.tf(*words, at=at, env={**env, **HARNESS, **more})
    assert done.returncode == 0, done.stderr
    return done


def stored(endpoint: Endpoint) -> dict[str, Any]:
    """Kind of data → the content that was stored; each kind at most once."""
    found = {}
    for request in endpoint.artifacts:
        query = parse_qs(urlsplit(request.target).query)
        (kind,) = query.pop("data_type")
        assert query == QUERY
        assert kind not in found
        found[kind] = json.loads(request.body)
    return found


@pytest.mark.parametrize("name", exhaustive_except(["cost.json", "infracost.json"], "cost.json"))
def test_a_cost_file_never_leaves_as_it_is(
    machine: Machine, endpoint: Endpoint, project: Path, name: str
) -> None:
    """A symbolic link named infracost.json in a checkout is not read; of a cost file that
    TFEVENTS_COST_FILE names, only known fields are stored."""
    more = {"TFEVENTS_COST_FILE": name} if name == "cost.json" else {}
    (machine.root / "id_rsa").write_text(json.dumps({**COST, "canary": "canary"}))
    (project / name).unlink(missing_ok=True)
    (project / name).symlink_to(machine.root / "id_rsa")
    run(machine, endpoint, project, "plan", kinds="cost_breakdown,cost_diff", **more)
    found = stored(endpoint)
    assert found == (dict.fromkeys(("cost_breakdown", "cost_diff"), COST) if more else {})
    assert all(b"canary" not in request.body for request in endpoint.requests)


def cost_of(workspace: str, **amounts: object) -> dict[str, object]:
    """One of the projects in Infracost's JSON: the working directory with a terraform workspace."""
    metadata = {"path": ".", "vcsSubPath": "project", "terraformWorkspace": workspace}
    return {"metadata": metadata, "breakdown": {"totalMonthlyCost": "7"}, **amounts}


@pytest.mark.exhaustive
@pytest.mark.parametrize(("workspace", "stored_kinds"), [("default", 1), ("prod", 2)])
def test_a_difference_of_costs_is_that_of_the_runs_own_workspace(
    machine: Machine, endpoint: Endpoint, project: Path, workspace: str, stored_kinds: int
) -> None:
    """Of a cost file with several terraform workspaces, the difference of costs is stored only for
    a run of a workspace that has one."""
    diff = {"totalMonthlyCost": "2"}
    document = {**COST, "projects": [cost_of("default"), cost_of("prod", diff=diff)]}
    (project / "cost.json").write_text(json.dumps(document))
    if workspace != "default":
        assert machine.bare("workspace", "new", workspace, at=project).returncode == 0
    more = {"TFEVENTS_COST_FILE": "cost.json", "TF_WORKSPACE": workspace}
    run(machine, endpoint, project, "plan", kinds="cost_breakdown,cost_diff", **more)
    assert len(endpoint.artifacts) == stored_kinds
    assert ("cost_diff_total_monthly" in endpoint.events[-1]["metadata"]) is (stored_kinds == 2)


def test_nothing_is_stored_unless_it_is_switched_on(
    machine: Machine, endpoint: Endpoint, project: Path
) -> None:
    """If TFEVENTS_ARTEFACTS is empty, which is the default, an apply sends events and stores no
    artifact."""
    run(machine, endpoint, project, "apply", "-auto-approve", kinds="")
    assert endpoint.artifacts == []
    assert endpoint.events


def test_all_kinds_of_an_apply(machine: Machine, endpoint: Endpoint, project: Path) -> None:
    """An apply stores each kind once and without secrets, its last event has a different id for
    each, and no redacted file stays in the home directory."""
    cost = {"TFEVENTS_COST_FILE": str(project / "cost.json")}
    run(machine, endpoint, project, "plan", "-out=p", kinds="")
    run(machine, endpoint, project, "apply", "p", kinds=",".join(KINDS), **cost)
    found = stored(endpoint)
    assert found.keys() == {*KINDS.values()}
    assert [module["name"] for module in found["modules"]] == ["inner"]
    assert found["cost_diff"] == COST
    assert found["plan_human"]["output_changes"]["open"]["after"] == "open"
    assert found["state_raw"]["outputs"]["open"]["value"] == "open"
    assert all(b"canary" not in request.body for request in endpoint.requests)
    metadata = endpoint.events[-1]["metadata"]
    ids = [json.loads(json.dumps(metadata[f"{kind}_uuid"])) for kind in KINDS]
    assert len(set(ids)) == len(KINDS)
    assert not list(machine.home.glob("**/*redacted*"))


@pytest.mark.exhaustive
def test_a_plan_alone(machine: Machine, endpoint: Endpoint, project: Path) -> None:
    """TFEVENTS_ARTEFACTS=plan stores the plan without secrets in `plan`, in `plan -out` and in an
    apply of the user's own plan file."""
    for words in (("plan",), ("plan", "-out=mine"), ("apply", "mine")):
        run(machine, endpoint, project, *words, kinds="plan")
    assert len(endpoint.artifacts) == 3
    assert all(b"canary" not in request.body for request in endpoint.artifacts)


@pytest.mark.exhaustive
def test_outside_a_harness_pipeline_nothing_is_stored(
    machine: Machine, endpoint: Endpoint, project: Path
) -> None:
    """Outside a Harness pipeline no artifact is stored, stderr says so, and the event is sent."""
    env = machine.reporting_to(endpoint.url, TFEVENTS_ARTEFACTS="modules")
    done = machine.tf("plan", at=project, env=env)
    assert "only stored inside a Harness pipeline" in done.stderr
    assert endpoint.artifacts == []
    assert len(endpoint.events) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", exhaustive_except([400, 401, 404], 401))
def test_a_refused_artifact_costs_its_id(
    machine: Machine, endpoint: Endpoint, project: Path, status: int
) -> None:
    """If the server refuses an artifact, stderr says so and the event lacks its id; the exit code,
    the event and the other artifacts are not affected."""
    endpoint.script(answer(status))
    done = run(machine, endpoint, project, "plan", kinds="modules,plan")
    (event,) = endpoint.events
    assert "modules is not stored" in done.stderr
    assert "modules_uuid" not in event["metadata"]
    assert event["metadata"]["plan_uuid"]


@pytest.mark.exhaustive
def test_a_busy_server_is_asked_again(machine: Machine, endpoint: Endpoint, project: Path) -> None:
    """After a 503 and a 429 the whole artifact is sent again."""
    endpoint.script(answer(503), answer(429))
    run(machine, endpoint, project, "plan", kinds="modules")
    (request,) = endpoint.artifacts
    assert json.loads(request.body)
    assert endpoint.events[0]["metadata"]["modules_uuid"]


@pytest.mark.exhaustive
def test_a_server_that_hangs_costs_half_of_the_budget(
    machine: Machine, endpoint: Endpoint, project: Path
) -> None:
    """If the server hangs while an artifact is sent, half of TFEVENTS_TIMEOUT is left, in which the
    event is delivered."""
    endpoint.script(HANG)
    done = run(machine, endpoint, project, "plan", kinds="modules", TFEVENTS_TIMEOUT="6")
    assert "modules_uuid" not in endpoint.events[0]["metadata"]
    assert len([line for line in done.stderr.splitlines() if "tfevents:" in line]) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("status", exhaustive_except(["warning", "error", "pass"], "error"))
def test_a_policys_word_is_passed_on(
    machine: Machine, endpoint: Endpoint, project: Path, status: str
) -> None:
    """If a policy warns or fails, the one line on stderr has its status and message; the event has
    the artifact's id in any case."""
    body = {
        "id": "stored-1",
        "policy_evaluation_status": status,
        "policy_evaluation_message": "no\nsuch module",
    }
    endpoint.script(Step(status=200, body=json.dumps(body).encode()))
    done = run(machine, endpoint, project, "plan", kinds="modules")
    (line,) = (line for line in done.stderr.splitlines() if "tfevents:" in line)
    assert (f"policy {status} (no such module)" in line) is (status != "pass")
    assert endpoint.events[0]["metadata"]["modules_uuid"] == "stored-1"


BODIES = [b"", b"{}", b'{"id": 1}', b"[]", b"<html>"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("body", exhaustive_except(BODIES, b'{"id": 1}', b"<html>"))
def test_an_answer_without_an_id(
    machine: Machine, endpoint: Endpoint, project: Path, body: bytes
) -> None:
    """If the server's response has no valid id, stderr says so and the event has no id."""
    endpoint.script(Step(status=200, body=body))
    done = run(machine, endpoint, project, "plan", kinds="modules")
    assert "has no id" in done.stderr
    assert "modules_uuid" not in endpoint.events[0]["metadata"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("part", exhaustive_except(["whole", "secret"], "secret"))
@pytest.mark.parametrize("shape", exhaustive_except(["{}", "a{}b", "x\n{}"], "a{}b"))
def test_an_id_that_holds_the_key_is_none(
    machine: Machine, endpoint: Endpoint, project: Path, part: str, shape: str
) -> None:
    """An id in the server's response that contains the API key or its secret is rejected: the
    event, all files in the home directory and stderr are free of the key."""
    key = "pat.acct.tokenid.canarysecret"
    said = shape.format(key if part == "whole" else key.rpartition(".")[2])
    endpoint.script(Step(status=200, body=json.dumps({"id": said}).encode()))
    env = {"TFEVENTS_API_KEY": key, "TFEVENTS_DEBUG": "1"}
    done = run(machine, endpoint, project, "plan", kinds="modules", **env)
    assert "an invalid id" in done.stderr
    assert "modules_uuid" not in endpoint.events[0]["metadata"]
    kept = [p for p in machine.home.rglob("*") if p.is_file()]
    assert kept
    assert all(b"canarysecret" not in path.read_bytes() for path in kept)
    assert "canarysecret" not in done.stderr


def test_every_field_of_the_contract_in_one_event(
    machine: Machine, endpoint: Endpoint, project: Path
) -> None:
    """An apply in a Harness pipeline, with cost and all artifacts, sends an event with every
    metadata field of the contract. Only fields that have no source in this test are set by
    TFEVENTS_METADATA_*. The endpoint checks the body against the contract."""
    more = {
        "TFEVENTS_COST_FILE": str(project / "cost.json"),
        "TFEVENTS_METADATA_PIPELINE_NAME": "Deploy",
        "TFEVENTS_METADATA_ENABLE_SOLUTIONS_FACTORY": "true",
        "TFEVENTS_METADATA_DRIFT_COUNTS": json.dumps(
            {"added": 0, "changed": 0, "deleted": 0, "unchanged": 0}
        ),
    }
    run(machine, endpoint, project, "plan", "-out=p", kinds="")
    run(machine, endpoint, project, "apply", "p", kinds=",".join(KINDS), **more)
    metadata = endpoint.events[-1]["metadata"]
    schema = json.loads((ROOT / "tfevents" / "events" / "event.schema.json").read_text())
    fields = schema["$defs"]["ActivityMetadata"]["properties"].keys()
    assert metadata.keys() == fields
    assert metadata["PlannedChangesCount"] == 1
