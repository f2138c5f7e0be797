"""How each host runs its file of `hooks/`: which commands, in which shell, with which variables,
and when.

Every command comes from the file itself; only what the host does by itself (its own plan and apply,
its order, its environment) is written here, each with a link to its documentation.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from support.hosts.expressions import expand
from support.hosts.field import Field, without_key
from support.hosts.jenkins import stages
from support.paths import HOOKS
from support.setup_action import parse_outputs

from tfevents.readers.hcl import expressions

PLAN = "terraform plan -input=false -no-color -out="
APPLY = "terraform apply -input=false -no-color "


@dataclass(frozen=True)
class Host:
    """A host; `play(field, "plan" or "apply")` runs one job and returns the host's exit code.

    `planned`, `applied`: whether the counts can be known. `hears`: whether tfevents learns of a
    failure. `says`: whether the outcome is known at all. `hides`: whether terraform gets no API
    key.
    """

    name: str
    play: Callable[[Field, str], int]
    planned: bool = True
    applied: bool = True
    hears: bool = True
    says: bool = True
    hides: bool = True


def load(name: str) -> Any:
    """The content of a YAML file of `hooks/`."""
    return yaml.safe_load((HOOKS / name).read_text())


def bash(field: Field, script: str, *options: str, **env: str) -> int:
    """Runs a script as a runner does: in a file, by bash. Returns its exit code."""
    file = Path(field.env["HOME"]) / "step.sh"
    file.write_text(script)
    done = field.run(["/bin/bash", *options, file], **env)
    print(f"$ {script}\n{done.stdout}{done.stderr}[{done.returncode}]")
    return done.returncode


# Atlantis: https://www.runatlantis.io/docs/custom-workflows.html


def atlantis(workflow: str) -> Callable[[Field, str], int]:
    """Runs the steps of a workflow until one fails, and then the hook if the workflow has one."""

    def play(field: Field, job: str) -> int:
        config = load("atlantis/repos.yaml")
        env = _atlantis_environment(field)
        code = 0
        for step in config["workflows"][workflow][job]["steps"]:
            code = code or _atlantis_step(field, step, env)
        if workflow == "tfevents-hooks":
            _atlantis_afterwards(field, config, job, bool(code))
        return code

    return play


def _atlantis_environment(field: Field) -> dict[str, str]:
    binary = Path(field.env["HOME"]) / "bin/terraform9.9.9"
    if not binary.exists():
        binary.symlink_to(binary.with_name("terraform").resolve())
    return {
        **_PULL_REQUEST,
        "ATLANTIS_TERRAFORM_VERSION": "9.9.9",
        "ATLANTIS_TERRAFORM_DISTRIBUTION": "terraform",
        "PLANFILE": str(field.directory / "default.tfplan"),
        "SHOWFILE": str(field.directory / "default.json"),
        "DIR": str(field.directory),
        "REPO_REL_DIR": ".",
        "WORKSPACE": "default",
    }


_PULL_REQUEST = {
    "BASE_REPO_OWNER": "acme",
    "BASE_REPO_NAME": "infra",
    "HEAD_COMMIT": "0123456789012345678901234567890123456789",
    "PULL_NUM": "7",
    "PULL_URL": "https://github.com/acme/infra/pull/7",
    "PROJECT_NAME": "",
    "USER_NAME": "ann",
}


def _atlantis_step(field: Field, step: Any, env: dict[str, str]) -> int:
    """Runs a built-in step, a `run` or an `env`; a successful built-in apply deletes the plan
    file."""
    if step == "init":
        return field.sh("terraform init -input=false -no-color")
    if step == "plan":
        return field.sh(f'{PLAN}"$PLANFILE"', **env)
    if step == "apply":
        return field.sh(f'{APPLY}"$PLANFILE" && rm "$PLANFILE"', **env)
    if "env" in step:
        done = field.run(["/bin/sh", "-c", step["env"]["command"]], **env)
        env[step["env"]["name"]] = done.stdout.strip()
        return done.returncode
    run = step["run"]
    return field.sh(run if isinstance(run, str) else run["command"], **env)


def _atlantis_afterwards(field: Field, config: Any, job: str, failed: bool) -> None:
    """Runs the hook: https://www.runatlantis.io/docs/post-workflow-hooks.html#custom-run-command"""
    env = {**_PULL_REQUEST, "DIR": str(field.directory), "COMMAND_NAME": job}
    for hook in config["repos"][0]["post_workflow_hooks"]:
        assert job in hook["commands"].split(", ")
        assert field.sh(hook["run"], COMMAND_HAS_ERRORS=str(failed).lower(), **env) == 0


# GitHub: https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax


def github(field: Field, job: str) -> int:
    """Runs the steps of the composite action; `shell: bash` is bash with -eo pipefail and a
    file."""
    action = load("github/action.yml")
    given = {"command": job, "api-key": field.env["TFEVENTS_API_KEY"]}
    given["arguments"] = "-input=false -out=run.tfplan" if job == "plan" else "run.tfplan"
    inputs = {name: given.get(name, spec.get("default")) for name, spec in action["inputs"].items()}
    context: dict[str, Any] = {"inputs": inputs, "steps": {}, "env": {}}
    code = field.sh("terraform init -input=false")
    for step in action["runs"]["steps"]:
        if not code or step.get("if") == "always()":
            code = _github_step(field, step, context) or code
    return code


def _github_step(field: Field, step: Mapping[str, Any], context: dict[str, Any]) -> int:
    output = Path(field.env["HOME"]) / "output"
    output.write_text("")
    env = {name: expand(text, context) for name, text in step.get("env", {}).items()}
    assert expand(step["working-directory"], context) == "."
    options = ("--noprofile", "--norc", "-eo", "pipefail")
    env.update(GITHUB_ACTIONS="true", GITHUB_RUN_ID="1", GITHUB_OUTPUT=str(output))
    code = bash(without_key(field), expand(step["run"], context), *options, **env)
    text = output.read_text()
    said = dict(re.findall(r"^([\w-]+)=(.*)$", text, re.MULTILINE)) | dict(parse_outputs(text))
    context["steps"][step.get("id")] = {"outputs": said}
    return code


# GitLab: https://docs.gitlab.com/ci/yaml/script/


def gitlab(field: Field, job: str) -> int:
    """Runs the script's lines in one shell, and then the after_script's in another."""
    template = load("gitlab/tfevents.gitlab-ci.yml")
    env = {"GITLAB_CI": "true", "CI_PIPELINE_ID": "1", **template["variables"]}
    spec = template[f".tfevents-{job}"]
    code = bash(field, "\n".join(spec["script"]), "-eo", "pipefail", CI_JOB_STATUS="running", **env)
    env["CI_JOB_STATUS"] = "failed" if code else "success"
    bash(field, "\n".join(spec["after_script"]), "-eo", "pipefail", **env)
    return code


# Jenkins: https://www.jenkins.io/doc/book/pipeline/syntax/#post


def jenkins(field: Field, job: str) -> int:
    """Runs each `sh` as with `sh -xe`; the first failure ends the stage, and then its post section
    runs."""
    stage = stages((HOOKS / "jenkins/Jenkinsfile").read_text())[job]
    env = {"JENKINS_URL": "http://jenkins/", "BUILD_TAG": "jenkins-1", "JOB_NAME": "infra"}
    code = 0
    for line in stage["steps"]:
        code = code or field.sh(f"set -xe\n{line}", **env)
    for line in stage["failure" if code else "success"]:
        assert field.sh(f"set -xe\n{line}", **env) == 0
    return code


# Azure: https://learn.microsoft.com/azure/devops/pipelines/process/templates


def azure(field: Field, job: str) -> int:
    """Runs each step while nothing has failed, or as its condition says."""
    template = load("azure/terraform.yml")
    parameters = {spec["name"]: spec.get("default") for spec in template["parameters"]}
    parameters["command"] = job
    parameters["arguments"] = "-out=run.tfplan" if job == "plan" else "run.tfplan"
    code = field.sh("terraform init -input=false")
    for step in template["steps"]:
        if code and step.get("condition") != "or(failed(), canceled())":
            continue
        if not code and "condition" in step:
            continue
        code = _azure_step(field, step, parameters, "Failed" if code else "Succeeded") or code
    return code


def _azure_step(field: Field, step: Any, parameters: Mapping[str, Any], status: str) -> int:
    """Runs one step: secrets reach its script through `env` alone; $(NAME) is a variable's
    value."""
    script = expand(step["script"], {"parameters": parameters})
    env = {
        name: re.sub(r"\$\((\w+)\)", lambda match: field.env[match[1]], text)
        for name, text in step.get("env", {}).items()
    }
    bare = without_key(field)
    job = {"TF_BUILD": "True", "BUILD_BUILDID": "1", "AGENT_JOBSTATUS": status}
    return bash(bare, script, "--noprofile", "--norc", **job, **env)


# CircleCI: https://circleci.com/docs/reference/configuration-reference/#run


def circleci(field: Field, job: str) -> int:
    """Runs each `run` in its own shell; after a failure only those with `when: on_fail`."""
    config = load("circleci/config.yml")
    env = {"CIRCLECI": "true", "CIRCLE_WORKFLOW_ID": "1"}
    code = 0
    for step in config["jobs"][job]["steps"]:
        for run in _circleci_runs(config, step):
            if bool(code) == (run.get("when") == "on_fail"):
                done = field.run(["/bin/bash", "-eo", "pipefail", "-c", run["command"]], **env)
                print(run, done)
                code = done.returncode or code
    return code


def _circleci_runs(config: Any, step: Any) -> list[dict[str, str]]:
    """The runs that a step of a job consists of; none for what CircleCI does by itself (checkout,
    …)."""
    ((name, spec),) = step.items() if isinstance(step, dict) else [(step, None)]
    if name == "run":
        return [{"command": spec} if isinstance(spec, str) else spec]
    if name not in config["commands"]:
        return []
    command = config["commands"][name]
    values = {key: of.get("default") for key, of in command["parameters"].items()} | spec
    runs = [run for inner in command["steps"] for run in _circleci_runs(config, inner)]
    return [{**run, "command": _with_parameters(run["command"], values)} for run in runs]


def _with_parameters(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"<< parameters\.([\w-]+) >>", lambda match: values[match[1]], text)


# Buildkite: https://buildkite.com/docs/agent/hooks


def buildkite(field: Field, job: str, **directory: str) -> int:
    """Runs the commands as one script; at the end the repository's pre-exit hook is sourced."""
    pipeline = load("buildkite/pipeline.yml")
    agent = Path(field.env["HOME"]) / "bin/buildkite-agent"
    agent.write_text(_BUILDKITE_AGENT)
    agent.chmod(0o755)
    (step,) = [one for one in pipeline["steps"] if one.get("label") == job]
    env = {"BUILDKITE": "true", "BUILDKITE_BUILD_ID": "1", **pipeline["env"], **directory}
    env["ARTIFACTS"] = str(Path(field.env["HOME"]) / "artifacts")
    code = bash(field, "\n".join(step["commands"]).replace("$$", "$"), "-e", **env)
    env["BUILDKITE_COMMAND_EXIT_STATUS"] = str(code)
    assert bash(field, f". {shlex.quote(str(HOOKS / 'buildkite/hooks/pre-exit'))}", **env) == 0
    return code


_BUILDKITE_AGENT = """\
#!/bin/sh -e
# `artifact upload PATH`: by its path from here; `artifact download PATH TO`: what has that path
case $2 in
upload) mkdir -p "$ARTIFACTS/$(dirname "$3")" && cp "$3" "$ARTIFACTS/$3" ;;
download) cp "$ARTIFACTS/$3" "$4/$3" ;;
esac
"""


# Bitbucket: https://support.atlassian.com/bitbucket-cloud/docs/step-options/#After-script


def bitbucket(field: Field, job: str) -> int:
    """Runs the script and, whether or not it failed, the after-script."""
    pipeline = load("bitbucket/bitbucket-pipelines.yml")
    steps = {one["step"]["name"]: one["step"] for one in pipeline["pipelines"]["default"]}
    env = {"CI": "true", "BITBUCKET_BUILD_NUMBER": "1"}
    code = bash(field, "\n".join(steps[job]["script"]), "-e", **env)
    env["BITBUCKET_EXIT_CODE"] = str(code)
    bash(field, "\n".join(steps[job]["after-script"]), "-e", **env)
    return code


# Spacelift: https://docs.spacelift.io/concepts/stack/stack-settings#customizing-workflow


def spacelift(field: Field, job: str) -> int:
    """Runs the before hooks, the phase and the after hooks until one fails, and after_run in any
    case."""
    hooks = load("spacelift/config.yml")["stack_defaults"]
    own = f"{PLAN}spacelift.plan" if job == "plan" else f"{APPLY}spacelift.plan"
    env = {"TF_VAR_spacelift_run_id": "01JK", "TF_VAR_spacelift_run_type": "TRACKED"}
    field.sh("terraform init -input=false")
    code = field.sh(" && ".join([*hooks[f"before_{job}"], own, *hooks[f"after_{job}"]]), **env)
    env["TF_VAR_spacelift_final_run_state"] = "FAILED" if code else "FINISHED"
    for line in hooks["after_run"]:
        assert field.sh(line, **env) == 0
    return code


def spacelift_custom(field: Field, job: str, *targets: str) -> int:
    """Runs a command's Go template: https://docs.spacelift.io/vendors/terraform/workflow-tool"""
    commands = load("spacelift/workflow.yml")
    field.sh(commands["init"])
    text = re.sub(r"\{\{ if .*?\{\{ end \}\}", "", commands[job])
    text = re.sub(r"\{\{ range \.Targets \}\}(.*?)\{\{ end \}\}", partial(_each, targets), text)
    text = text.replace("{{ .PlanFileName }}", "spacelift.plan").replace("{{ .Lock }}", "true")
    assert "{{" not in text
    return field.sh(text, TF_VAR_spacelift_run_id="01JK")


def _each(targets: Sequence[str], body: re.Match[str]) -> str:
    """The body for each target, escaped like Go's `html`:
    https://pkg.go.dev/text/template#HTMLEscapeString"""
    marks = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
    escaped = (target.translate(str.maketrans(marks)) for target in targets)
    return "".join(body[1].replace("{{ html . }}", target) for target in escaped)


# Scalr: https://docs.scalr.io/docs/hooks-1, https://docs.scalr.io/docs/run-environment


def scalr(field: Field, job: str) -> int:
    """Runs the hooks; the post hooks run whether or not the operation succeeded, and get its exit
    code."""
    (resource,) = _hcl("scalr/hooks.tf")["resource"]
    (hooks,) = resource["scalr_workspace"]["example"]["hooks"]
    env = {"SCALR_RUN_ID": "run-1", "SCALR_TERRAFORM_OPERATION": job, "SCALR_RUN_IS_DESTROY": "0"}
    field.sh("terraform init -input=false")
    assert field.sh(hooks[f"pre_{job}"], **env) == 0
    code = field.sh((PLAN if job == "plan" else APPLY) + "scalr.plan", **env)
    assert field.sh(hooks[f"post_{job}"], SCALR_TERRAFORM_EXIT_CODE=str(code), **env) == 0
    return code


def _hcl(name: str) -> Any:
    return expressions.parse_hcl((HOOKS / name).read_text(), name)


# env zero: https://docs.envzero.com/guides/admin-guide/custom-flows


def env0(field: Field, job: str) -> int:
    """Runs the steps; a failed one ends the deployment: its `after` is left out, and onFailure
    runs."""
    flow = load("env0/env0.yml")["deploy"]
    step = flow["steps"]["terraformPlan" if job == "plan" else "terraformApply"]
    env = {"ENV0_DEPLOYMENT_LOG_ID": "1", "ENV0_DEPLOYMENT_TYPE": "deploy"}
    own = (PLAN if job == "plan" else APPLY) + ".tf-plan"
    lines = [one["run"] for one in step["before"]] + [own] + [one["run"] for one in step["after"]]
    code = field.sh("terraform init -input=false")
    for line in lines:
        code = code or field.sh(line, **env)
    for line in [one["run"] for one in flow["onFailure"]] if code else []:
        assert field.sh(line, **env) == 0
    return code


# HCP Terraform agent: https://developer.hashicorp.com/terraform/cloud-docs/agents/hooks


def hcp_terraform(field: Field, job: str) -> int:
    """Runs the pre hook before `terraform init`, and the post hook whether or not the operation
    succeeded."""
    env = {"TFC_RUN_ID": "run-CKuwsxMGgMd4W7Ui", "TFC_WORKSPACE_NAME": "network"}
    assert field.run([HOOKS / f"hcp-terraform/terraform-pre-{job}"], **env).returncode == 0
    field.sh("terraform init -input=false")
    code = field.sh((PLAN if job == "plan" else APPLY) + "agent.plan")
    assert field.run([HOOKS / f"hcp-terraform/terraform-post-{job}"], **env).returncode == 0
    return code


# Terramate: https://terramate.io/docs/cli/orchestration/scripts


def terramate(*labels: str) -> Callable[[Field, str], int]:
    """Runs a script's commands in the stack's directory, until one fails."""

    def play(field: Field, job: str) -> int:
        wanted = [*labels, {"plan": "preview", "apply": "deploy"}[job]]
        commands = next(c for found, c in _terramate_scripts() if found == wanted)
        code = 0
        for words in commands:
            if not code:
                done = field.run(words)
                print(words, done)
                code = done.returncode
        return code

    return play


def _terramate_scripts() -> list[tuple[list[str], list[list[str]]]]:
    """Labels and commands of each script."""
    return [_labelled(body, []) for body in _hcl("terramate/tfevents.tm.hcl")["script"]]


def _labelled(body: Any, labels: list[str]) -> tuple[list[str], list[list[str]]]:
    """Follows the labels inwards to the jobs; returns the labels and all commands."""
    if "job" in body:
        return labels, [words for job in body["job"] for words in job["commands"]]
    ((label, inner),) = body.items()
    return _labelled(inner, [*labels, label])


# Digger: https://docs.digger.dev/ce/howto/custom-commands


def digger(workflow: str) -> Callable[[Field, str], int]:
    """Runs a workflow's steps until one fails: terraform for built-in ones, bash for `run`."""

    def play(field: Field, job: str) -> int:
        plan = str(field.directory / "acme-infra-7-example.tfplan")
        own = {
            "init": "terraform init -input=false -no-color",
            "plan": f"{PLAN}{plan}",
            "apply": f"{APPLY}-auto-approve {plan}",
        }
        env = {"DIGGER_PLANFILE": plan, "DIGGER_OUT": f"{plan}.log", "PROJECT_NAME": "example"}
        code = 0
        for step in load("digger/digger.yml")["workflows"][workflow][job]["steps"]:
            if not code and isinstance(step, str):
                code = field.sh(own[step])
            elif not code:
                code = bash(field, step["run"], "-eo", "pipefail", **env)
        return code

    return play


# make and sh


def make(field: Field, job: str) -> int:
    """Runs the Makefile's target with make."""
    field.sh("terraform init -input=false")
    return min(field.sh(f"make -f {HOOKS}/make/Makefile {job}"), 1)


def script(field: Field, job: str) -> int:
    """Runs the shell script as it is."""
    field.sh("terraform init -input=false")
    words = "plan -out=run.tfplan" if job == "plan" else "apply run.tfplan"
    return field.sh(f"{HOOKS}/make/terraform.sh {words}")


HOSTS = (
    Host("atlantis", atlantis("tfevents-hooks"), hides=False),
    Host("atlantis-tf", atlantis("tfevents")),
    Host("github", github),
    Host("gitlab", gitlab),
    Host("jenkins", jenkins),
    Host("azure", azure),
    Host("circleci", circleci),
    Host("buildkite", buildkite),
    Host("bitbucket", bitbucket),
    Host("spacelift", spacelift, hides=False),
    Host("spacelift-tf", spacelift_custom),
    Host("scalr", scalr, planned=False, applied=False, hides=False),
    Host("env0", env0, hides=False),
    Host("hcp-terraform", hcp_terraform, planned=False, applied=False, says=False, hides=False),
    Host("terramate-tf", terramate()),
    Host("terramate", terramate("hooked")),
    Host("digger-tf", digger("tfevents")),
    Host("digger", digger("tfevents-hooks"), hears=False, hides=False),
    Host("make", make),
    Host("script", script),
)
