"""Reads what hosts that run terraform themselves say about a run, from their environment variables.

`hooks/README.md` links the documentation of every variable that is read here. The CI vendor is
determined elsewhere, in `context.ci`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import asdict, replace

from tfevents import files
from tfevents.terraform.arguments import Mode


class HookHost(Struct, frozen=True):
    """What a host says about a run; None for what it does not say.

    `execution`: the host's id of the pull request, run or deployment that the run is part of.
    `whole_execution`: whether this call is about all runs of the execution. `reports_itself`:
    whether the host runs `tf`, which reports the run. `exit_code`: terraform's. `job_exit_code`: of
    the job's last command, which may not be terraform. `partial_reasons`: what the host left out of
    the plan.
    """

    command: str | None = None
    mode: Mode | None = None
    tf_workspace: str | None = None
    plan_file: str | None = None
    plan_json: str | None = None
    exit_code: int | None = None
    job_exit_code: int | None = None
    failed: bool | None = None
    execution: str | None = None
    provisioner: str | None = None
    whole_execution: bool = False
    reports_itself: bool = False
    partial_reasons: tuple[str, ...] = ()


def find_host(env: Mapping[str, str]) -> HookHost:
    """The host whose variables are set, with the CI job's outcome if the host gives none."""
    for marker, read in HOSTS.items():
        if env.get(marker):
            return _add_job_outcome(_drop_overlong(read(env)), env)
    return _add_job_outcome(HookHost(), env)


def _drop_overlong(host: HookHost) -> HookHost:
    """Drops texts that are longer than any path, command or id."""
    texts = {name: text for name, text in asdict(host).items() if isinstance(text, str)}
    return replace(host, **{name: files.find_path(text) for name, text in texts.items()})


def _add_job_outcome(host: HookHost, env: Mapping[str, str]) -> HookHost:
    """Adds the outcome of the CI job, where the host gives none itself."""
    has_outcome = host.failed is not None or host.exit_code is not None
    return replace(
        host,
        failed=host.failed if has_outcome else _has_job_failed(env),
        job_exit_code=None if has_outcome else _find_job_exit_code(env),
    )


def _read_terragrunt(env: Mapping[str, str]) -> HookHost:
    path = env.get("TG_CTX_TF_PATH")
    return HookHost(
        command=env.get("TG_CTX_COMMAND"),
        provisioner=path,
        reports_itself=os.path.basename(path or "") == "tf",
    )


def _read_atlantis(env: Mapping[str, str]) -> HookHost:
    """A workflow step, or a post-workflow hook, which has the outcome but no plan."""
    plan_file = env.get("PLANFILE")
    errors = env.get("COMMAND_HAS_ERRORS") if not plan_file else None
    names = ("BASE_REPO_OWNER", "BASE_REPO_NAME", "PULL_NUM")
    tool = env.get("ATLANTIS_TERRAFORM_DISTRIBUTION") or "terraform"
    version = env.get("ATLANTIS_TERRAFORM_VERSION")
    return HookHost(
        command=env.get("COMMAND_NAME"),
        tf_workspace=env.get("WORKSPACE"),
        plan_file=plan_file,
        plan_json=_find_current_json(env.get("SHOWFILE"), plan_file),
        failed={"true": True, "false": False}.get(errors or ""),
        execution="/".join(filter(None, map(env.get, names))) or None,
        provisioner=_find_program(f"{tool}{version}", env) if version else None,
        whole_execution=errors is not None,
    )


def _find_current_json(path: str | None, plan_file: str | None) -> str | None:
    """The path of the plan's JSON; None if there is none, or if it is older than the plan file.

    Atlantis leaves the JSON of an older plan in place.
    """
    try:
        if path and plan_file and os.path.exists(plan_file):
            return path if os.path.getmtime(path) >= os.path.getmtime(plan_file) else None
    except OSError:
        return None
    return path if path and os.path.exists(path) else None


def _find_program(name: str, env: Mapping[str, str]) -> str | None:
    folders = env.get("PATH", "").split(os.pathsep)
    return name if any(os.access(os.path.join(f, name), os.X_OK) for f in folders) else None


def _read_spacelift(env: Mapping[str, str]) -> HookHost:
    prefix = "TF_VAR_spacelift_"
    final = env.get(prefix + "final_run_state")
    destroys = env.get(prefix + "run_type") == "DESTROY"
    return HookHost(
        mode=Mode.DESTROY if destroys else None,
        failed=final in ("FAILED", "STOPPED") if final else None,
        execution=env.get(prefix + "run_id"),
    )


def _read_scalr(env: Mapping[str, str]) -> HookHost:
    destroys, refreshes = env.get("SCALR_RUN_IS_DESTROY"), env.get("SCALR_RUN_MODE")
    mode = Mode.REFRESH_ONLY if refreshes == "refresh" else None
    return HookHost(
        command=env.get("SCALR_TERRAFORM_OPERATION"),
        mode=Mode.DESTROY if destroys == "1" else mode,
        exit_code=parse_exit_code(env.get("SCALR_TERRAFORM_EXIT_CODE")),
        execution=env.get("SCALR_RUN_ID"),
        partial_reasons=("refresh=false",) if refreshes == "skip_refresh" else (),
    )


def _read_env0(env: Mapping[str, str]) -> HookHost:
    path = env.get("ENV0_TF_PLAN_JSON")
    return HookHost(
        mode=Mode.DESTROY if env.get("ENV0_DEPLOYMENT_TYPE") == "destroy" else None,
        tf_workspace=env.get("ENV0_WORKSPACE_NAME"),
        plan_json=path if path and os.path.isfile(path) else None,
        execution=env.get("ENV0_DEPLOYMENT_LOG_ID"),
    )


def _read_digger(env: Mapping[str, str]) -> HookHost:
    return HookHost(plan_file=env.get("DIGGER_PLANFILE"))


HOSTS = {
    "TG_CTX_TF_PATH": _read_terragrunt,
    "TG_CTX_COMMAND": _read_terragrunt,
    "ATLANTIS_TERRAFORM_VERSION": _read_atlantis,
    "COMMAND_HAS_ERRORS": _read_atlantis,
    "TF_VAR_spacelift_run_id": _read_spacelift,
    "TF_VAR_spacelift_run_type": _read_spacelift,
    "SCALR_RUN_ID": _read_scalr,
    "ENV0_DEPLOYMENT_TYPE": _read_env0,
    "DIGGER_PLANFILE": _read_digger,
}
"""An environment variable that only this host sets → the host's reader; the first one set wins."""


def _find_job_exit_code(env: Mapping[str, str]) -> int | None:
    """The exit code of the job's last command, set in hooks that run after it; None elsewhere."""
    for name in ("BUILDKITE_COMMAND_EXIT_STATUS", "BITBUCKET_EXIT_CODE"):
        if (code := parse_exit_code(env.get(name))) is not None:
            return code
    return None


def _has_job_failed(env: Mapping[str, str]) -> bool | None:
    """Whether the job failed; None while it runs, or where no variable tells its status.

    Azure's `SucceededWithIssues` is unknown: the agent (StepsRunner.cs) sets it if a step with
    continueOnError has failed, which may be terraform's.
    """
    variables = {
        "CI_JOB_STATUS": {"success": False, "failed": True, "canceled": True},
        "AGENT_JOBSTATUS": {"Succeeded": False, "Failed": True, "Canceled": True},
    }
    for name, statuses in variables.items():
        if (failed := statuses.get(env.get(name, ""))) is not None:
            return failed
    return None


def parse_exit_code(text: str | None) -> int | None:
    """The exit code in `text`; None unless it is a number of one to three digits."""
    number = re.fullmatch("[0-9]{1,3}", text or "")
    return int(number[0]) if number else None
