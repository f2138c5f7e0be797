"""The facts about a run in a hook's call, from its options and from the host."""

from __future__ import annotations

import itertools
import os

import pytest
from msgspec.structs import replace

from tfevents.hosts.call import CallOptions, HookCall, find_unknown_command, parse_call
from tfevents.hosts.hook_hosts import HookHost, find_host
from tfevents.terraform.arguments import REPORTED, Mode

NO_ENV: dict[str, str] = {}


def call(moment: str = "after", command: str = "apply", **options: object) -> HookCall:
    """A call outside of CI, with a host that provides nothing."""
    found = parse_call(moment, [command], CallOptions(**options), HookHost(), NO_ENV)
    assert found is not None
    return found


@pytest.mark.parametrize("command", ["", "unlock", "output", "PLAN"])
def test_a_command_that_is_not_reported_is_no_call(command: str) -> None:
    """For a command that is not reported there is no call."""
    assert parse_call("before", [command], CallOptions(), HookHost(), NO_ENV) is None


def test_each_reported_command_has_its_mode() -> None:
    """`destroy` has the destroy mode, every other command the normal one."""
    modes = {name: call(command=name).mode for name in REPORTED}
    assert modes.pop("destroy") is Mode.DESTROY
    assert set(modes.values()) == {Mode.NORMAL}


def test_an_option_is_stronger_than_the_host() -> None:
    """An option takes precedence over the host's value."""
    host = HookHost(command="plan", plan_file="theirs", exit_code=1, mode=Mode.DESTROY)
    options = CallOptions(plan_file="mine", exit_code=0, directory="/unit")
    own = parse_call("after", ["apply"], options, host, NO_ENV)
    theirs = parse_call("after", ["plan"], CallOptions(), host, NO_ENV)
    assert own is not None and theirs is not None
    assert (own.command, own.plan_file, own.succeeded, own.unit) == ("apply", "mine", True, "/unit")
    assert (theirs.command, theirs.plan_file, theirs.succeeded) == ("plan", "theirs", False)
    assert theirs.mode is Mode.DESTROY


@pytest.mark.parametrize(
    ("moment", "command", "exit_code", "failed", "succeeded"),
    [
        ("after", "apply", 0, None, True),
        ("after", "apply", 2, None, False),
        ("after", "plan", 2, None, True),
        ("after", "plan", 1, False, False),
        ("after", "plan", None, True, False),
        ("after", "plan", None, False, True),
        ("after", "plan", None, None, None),
        ("error", "plan", 0, False, False),
    ],
)
def test_the_outcome_in_the_order_of_trust(
    moment: str, command: str, exit_code: int | None, failed: bool | None, succeeded: bool | None
) -> None:
    """The outcome is taken from the moment (`error`), else from the exit code, else from the host;
    otherwise it is unknown."""
    found = replace(call(moment, command, exit_code=exit_code), host=HookHost(failed=failed))
    assert found.succeeded is succeeded


@pytest.mark.parametrize(
    ("moment", "said", "host", "succeeded"),
    [
        ("after", True, HookHost(failed=True), True),
        ("after", True, HookHost(exit_code=1), True),
        ("after", False, HookHost(failed=False), False),
        ("error", True, HookHost(), False),
    ],
)
def test_an_outcome_without_its_number(
    moment: str, said: bool, host: HookHost, succeeded: bool
) -> None:
    """An outcome given as success or failure takes precedence over the host's, and sets no exit
    code."""
    found = replace(call(moment, "plan", succeeded=said), host=host)
    assert (found.succeeded, found.exit_code, found.has_changes) == (succeeded, None, None)


def test_a_text_that_is_longer_than_any_path_is_none() -> None:
    """A longer text than a path can be is ignored, in the host's variables, Terragrunt's directory
    and TF_CLI_ARGS_plan; a workspace's name is cut."""
    endless = "x" * 5000
    env = {
        "TG_CTX_COMMAND": endless,
        "TG_CTX_TERRAGRUNT_DIR": endless,
        "TF_CLI_ARGS_plan": f"-out={endless}",
        "TF_WORKSPACE": endless,
    }
    assert find_host(env) == HookHost() == find_host({"DIGGER_PLANFILE": endless})
    found = line("plan", env)
    assert found is not None
    assert (found.unit, found.plan_file) == (os.path.realpath("."), None)
    assert found.tf_workspace == endless[:1024]


def line(text: str, env: dict[str, str] = NO_ENV, **options: object) -> HookCall | None:
    """An `after` call with terraform's command line as its arguments."""
    return parse_call("after", text.split(), CallOptions(**options), HookHost(), env)


@pytest.mark.parametrize(
    ("text", "plan_file"),
    [
        ("plan", "option"),
        ("plan -input=false", "option"),
        ("plan -out=x", "x"),
        ("plan -out x -out=y", "y"),
        ("-chdir=d plan -out=x", "d/x"),
        ("-chdir=d plan -out=/x", "/x"),
        ("apply -input=false", "option"),
        ("apply -input=false x", "x"),
        ("-chdir=d apply x", "d/x"),
    ],
)
def test_the_plan_file_by_the_command_line(text: str, plan_file: str) -> None:
    """The plan file is the one in terraform's command line, else the option's."""
    found = line(text, plan_file="option")
    assert found is not None and found.plan_file == plan_file


def test_the_plan_file_by_the_environment() -> None:
    """An option takes precedence over TF_CLI_ARGS_plan, and terraform's command line over both:
    terraform inserts TF_CLI_ARGS_plan before the flags of the command line."""
    env = {"TF_CLI_ARGS_plan": "-out=x"}
    found = (
        line("plan", env),
        line("plan -input=false", env),
        line("plan -input=false", env, plan_file="option"),
        line("plan -out=y", env, plan_file="option"),
    )
    assert [call and call.plan_file for call in found] == ["x", "x", "option", "y"]


def test_what_else_the_command_line_says() -> None:
    """Directory, mode, what the plan leaves out and whether `-state` is given are read from
    terraform's command line."""
    found = line("-chdir=d plan -destroy -refresh=false -target=a.b")
    assert found is not None
    assert found.directory == found.unit == os.path.abspath("d")
    assert (found.mode, found.partial_reasons) == (Mode.DESTROY, ("target", "refresh=false"))
    assert not found.state_elsewhere
    elsewhere = line("apply -state=x")
    assert elsewhere is not None and elsewhere.state_elsewhere


@pytest.mark.parametrize(
    ("text", "exit_code", "changes"),
    [
        ("plan", 0, None),
        ("plan", 2, True),
        ("plan -detailed-exitcode", 0, False),
        ("plan -detailed-exitcode=false", 0, None),
        ("plan -detailed-exitcode", 1, None),
        ("apply", 2, None),
    ],
)
def test_what_the_exit_code_says_of_a_plan(text: str, exit_code: int, changes: bool | None) -> None:
    """A plan's exit code 2 means changes; 0 means no changes only with `-detailed-exitcode`."""
    found = line(text, exit_code=exit_code)
    assert found is not None and found.has_changes is changes


@pytest.mark.parametrize(
    "text", ["plan -help", "-version", "-help plan", "-chdir=d output", "-no-such plan", "init -x"]
)
def test_a_command_line_that_is_no_run(text: str) -> None:
    """A command line that `tf` would leave to terraform, unreported, is no call."""
    assert line(text) is None


def test_a_word_that_is_no_command() -> None:
    """A word that is no command of terraform is reported as a mistake; a known command is not,
    whether tfevents reports it or not."""
    assert find_unknown_command(["-chdir=d", "plann", "-out=x"]) == "plann"
    for words in (["-chdir=d", "plan"], ["output"], ["force-unlock", "x"], ["-version"], []):
        assert find_unknown_command(words) is None


def test_the_key_is_of_one_run() -> None:
    """The key differs by unit, terraform workspace and execution, and does not depend on moment and
    command."""
    base = call("before", "apply")
    others = [replace(base, **{name: "x"}) for name in ("unit", "tf_workspace", "execution")]
    keys = [found.key for found in (base, *others)]
    assert all(one != other for one, other in itertools.combinations(keys, 2))
    assert replace(base, moment="after", command="plan").key == base.key
    assert replace(base, unit="\udcff").key


def test_the_jobs_outcome_where_the_host_says_none() -> None:
    """The outcome of the CI job is used, GitLab's status or Bitbucket's exit code, unless the host
    provides one; a running job has none."""
    assert find_host({}) == HookHost()
    assert find_host({"CI_JOB_STATUS": "failed"}).failed is True
    assert find_host({"CI_JOB_STATUS": "running"}).failed is None
    assert find_host({"BITBUCKET_EXIT_CODE": "3"}).job_exit_code == 3
    for odd in ("no", "-1", "1000", "9" * 5000, "\u0661"):
        assert find_host({"BITBUCKET_EXIT_CODE": odd}).job_exit_code is None
    scalr = {"SCALR_RUN_ID": "run-1", "SCALR_TERRAFORM_EXIT_CODE": "0", "CI_JOB_STATUS": "failed"}
    assert (find_host(scalr).failed, find_host(scalr).exit_code) == (None, 0)


def test_azures_success_with_issues_is_no_outcome() -> None:
    """Azure's `SucceededWithIssues` is not known to be a success: a step with continueOnError
    may have failed."""
    statuses = ("Succeeded", "SucceededWithIssues", "Failed", "Canceled")
    found = [find_host({"AGENT_JOBSTATUS": status}).failed for status in statuses]
    assert found == [False, None, True, True]


@pytest.mark.parametrize(
    ("options", "exit_code", "succeeded", "changes"),
    [
        (CallOptions(), 2, True, True),
        (CallOptions(exit_code=1), 1, False, None),
        (CallOptions(succeeded=False), None, False, None),
    ],
)
def test_scalrs_exit_code_is_terraforms(
    options: CallOptions, exit_code: int | None, succeeded: bool, changes: bool | None
) -> None:
    """Scalr's exit code is the run's, unless an option gives the outcome."""
    host = find_host({"SCALR_RUN_ID": "run-1", "SCALR_TERRAFORM_EXIT_CODE": "2"})
    found = parse_call("after", ["plan"], options, host, NO_ENV)
    assert found is not None
    assert (found.exit_code, found.succeeded, found.has_changes) == (exit_code, succeeded, changes)


def test_a_jobs_exit_code_is_not_terraforms() -> None:
    """The exit code of a CI job gives the outcome, but is not recorded as terraform's."""
    host = find_host({"BUILDKITE_COMMAND_EXIT_STATUS": "2"})
    found = parse_call("after", ["plan"], CallOptions(), host, NO_ENV)
    assert found is not None
    assert (found.exit_code, found.succeeded, found.has_changes) == (None, True, None)
