"""Which Infracost file gives the cost, and how the Infracost binary is run if there is none."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support.endpoint import Endpoint
from support.exhaustive import exhaustive_except
from support.machine import SCRIPTS, Machine
from support.standin import script_engine


def write(path: Path, total: str) -> None:
    """Writes an Infracost file with this monthly cost."""
    path.write_text(json.dumps({"version": "0.2", "projects": [], "totalMonthlyCost": total}))


@pytest.mark.parametrize(
    ("named", "total"), exhaustive_except([(False, "1"), (True, "2")], (True, "2"))
)
def test_in_the_runs_directory_unless_it_is_named(tmp_path: Path, named: bool, total: str) -> None:
    """The cost comes from `infracost.json` in terraform's working directory, unless
    TFEVENTS_COST_FILE names another file."""
    machine = Machine(tmp_path)
    place = machine.project()
    write(place / "infracost.json", "1")
    write(tmp_path / "named.json", "2")
    more = {"TFEVENTS_COST_FILE": str(tmp_path / "named.json")} if named else {}
    with Endpoint() as endpoint:
        env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT="60", **more)
        done = machine.tf("plan", at=place, env=env)
        assert done.returncode == 0, done.stderr
        assert endpoint.events[-1]["metadata"]["cost_total_monthly"] == total


@pytest.mark.exhaustive
def test_a_broken_one_costs_only_the_fact(tmp_path: Path) -> None:
    """An invalid Infracost file is reported on stderr, and the event has no cost."""
    machine = Machine(tmp_path)
    place = machine.project()
    (place / "infracost.json").write_text("{")
    with Endpoint() as endpoint:
        done = machine.tf("plan", at=place, env=machine.reporting_to(endpoint.url))
        assert done.returncode == 0, done.stderr
        assert "Infracost JSON" in done.stderr
        assert "cost_total_monthly" not in endpoint.events[-1]["metadata"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("path", "why"), [("none.json", "No such file"), (".", "Is a directory")])
def test_a_named_one_that_is_not_there_is_told(tmp_path: Path, path: str, why: str) -> None:
    """If TFEVENTS_COST_FILE can't be read, stderr says why, and the event is sent all the same."""
    machine = Machine(tmp_path)
    with Endpoint() as endpoint:
        env = machine.reporting_to(
            endpoint.url, TFEVENTS_COST_FILE=str(tmp_path / path), TFEVENTS_TIMEOUT="60"
        )
        done = machine.tf("plan", at=machine.project(), env=env)
        assert done.returncode == 0, done.stderr
        assert f"can't read the cost file {tmp_path / path}: {why}" in done.stderr
        assert endpoint.events[-1]["event_type"] == "apply_needed"


@pytest.mark.exhaustive
def test_beside_the_applied_plan(tmp_path: Path) -> None:
    """For an apply of a saved plan, the cost comes from `infracost.json` in the plan file's
    directory."""
    machine = Machine(tmp_path)
    place = machine.project()
    write(place / "infracost.json", "1")
    (tmp_path / "out").mkdir()
    plan = str(tmp_path / "out" / "p")
    with Endpoint() as endpoint:
        env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT="60")
        assert machine.tf("plan", f"-out={plan}", at=place, env=env).returncode == 0
        write(tmp_path / "out" / "infracost.json", "3")
        done = machine.tf("apply", plan, at=place, env=env)
        assert done.returncode == 0, done.stderr
        assert endpoint.events[-1]["metadata"]["cost_total_monthly"] == "3"


@pytest.mark.exhaustive
def test_by_flag(tmp_path: Path) -> None:
    """`run --cost-file` has precedence over TFEVENTS_COST_FILE."""
    machine = Machine(tmp_path)
    place = machine.project()
    write(tmp_path / "flag.json", "4")
    write(tmp_path / "variable.json", "2")
    with Endpoint() as endpoint:
        env = machine.reporting_to(
            endpoint.url, TFEVENTS_COST_FILE=str(tmp_path / "variable.json"), TFEVENTS_TIMEOUT="60"
        )
        words = ("run", "--cost-file", str(tmp_path / "flag.json"), "--", "terraform", "plan")
        done = subprocess.run(
            [SCRIPTS / "tfevents", *words],
            env={**machine.env, **env},
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert endpoint.events[-1]["metadata"]["cost_total_monthly"] == "4"


INFRACOST = """
assert argv[:-1] == ["breakdown", "--format", "json", "--no-color", "--path"], argv
assert argv[-1].endswith(".json"), argv
assert os.environ["INFRACOST_CANARY"] == "infracost"
assert "canary" not in str(os.environ), os.environ
import json
text = open(argv[-1]).read()
assert "canary" not in text, text
plan = json.loads(text)
assert not {"variables"} & plan.keys(), plan.keys()
(resource,) = plan["configuration"]["root_module"]["resources"]
assert resource["expressions"] == {"input": {"references": ["var.secret", "var.open"]}}, resource
say(json.dumps({"version": "0.2", "totalMonthlyCost": str(len(plan["resource_changes"]))}))
"""


SECRET = """
variable "secret" {
  sensitive = true
  default   = "canary-default"
}
variable "open" { default = "open" }
resource "terraform_data" "a" { input = "${var.secret} ${var.open}" }
"""
SECRETS = {
    name: f"canary-{name}"
    for name in (
        *("TFEVENTS_X", "PLUGIN_X", "HARNESS_PLATFORM_API_KEY", "HARNESS_X", "IACM_TOKEN"),
        *("TF_VAR_secret", "MY_HARNESS_KEY", "AWS_SECRET_ACCESS_KEY"),
    )
}


@pytest.mark.exhaustive
def test_the_binary_where_the_setting_says_so(tmp_path: Path) -> None:
    """With TFEVENTS_INFRACOST, infracost gets the plan as JSON without values of variables, and no
    secret but its own."""
    with Endpoint() as endpoint:
        done = run_with(tmp_path, endpoint, "plan", INFRACOST)
        assert done.returncode == 0, done.stderr
        assert endpoint.events[-1]["metadata"]["cost_total_monthly"] == "1"


@pytest.mark.exhaustive
def test_the_binary_has_nothing_to_look_at_without_a_plan(tmp_path: Path) -> None:
    """An apply without a saved plan has no cost, because there is no plan for infracost."""
    with Endpoint() as endpoint:
        done = run_with(tmp_path, endpoint, "apply", INFRACOST)
        assert done.returncode == 0, done.stderr
        assert "cost_total_monthly" not in endpoint.events[-1]["metadata"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "script", exhaustive_except(["sys.exit(1)", "hang()", "say('{')"], "say('{')")
)
def test_a_bad_binary_costs_only_the_fact(tmp_path: Path, script: str) -> None:
    """If infracost fails, hangs or prints invalid JSON, stderr says so, and the event is sent
    without a cost."""
    with Endpoint() as endpoint:
        done = run_with(tmp_path, endpoint, "plan", script, budget="6")
        assert done.returncode == 0, done.stderr
        assert "nfracost" in done.stderr
        assert endpoint.events[-1]["event_type"] == "apply_needed"
        assert "cost_total_monthly" not in endpoint.events[-1]["metadata"]


def run_with(
    tmp_path: Path, endpoint: Endpoint, command: str, script: str, budget: str = "60"
) -> subprocess.CompletedProcess[str]:
    """Runs `tf` with `script` as the `infracost` on PATH."""
    machine = Machine(tmp_path)
    place = machine.project("project", SECRET)
    (tmp_path / "bin").mkdir()
    script_engine(tmp_path / "bin" / "infracost", script)
    more = {**SECRETS, "TFEVENTS_INFRACOST": "1", "INFRACOST_CANARY": "infracost"}
    env = machine.reporting_to(endpoint.url, TFEVENTS_TIMEOUT=budget, **more)
    env["PATH"] = f"{tmp_path / 'bin'}:{machine.env['PATH']}"
    words = ["apply", "-auto-approve"] if command == "apply" else [command]
    return machine.tf(*words, at=place, env=env)


@pytest.mark.exhaustive
def test_a_checkouts_own_binary_is_not_run(tmp_path: Path) -> None:
    """An `infracost` in the checkout is not run, even if PATH contains the working directory."""
    machine = Machine(tmp_path)
    place = machine.project()
    script_engine(place / "infracost", "open('run', 'w')")
    with Endpoint() as endpoint:
        env = machine.reporting_to(endpoint.url, TFEVENTS_INFRACOST="1")
        done = machine.tf("plan", at=place, env={**env, "PATH": f".:{machine.env['PATH']}"})
    assert "there is no infracost on PATH" in done.stderr
    assert not (place / "run").exists()
