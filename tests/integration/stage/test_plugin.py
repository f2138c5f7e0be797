"""The stage container's entry point: commands, settings, signals as PID 1, and any user."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.endpoint import Endpoint, Rules
from support.engines import clean_env, terraform
from support.exhaustive import exhaustive_except
from support.paths import PLANS
from support.standin import script_engine
from support.step import HANG

from tfevents.errors import SettingError
from tfevents.stage.settings import make_environment, parse_stage

TFEVENTS = os.path.join(sysconfig.get_path("scripts"), "tfevents")
DELIVERY = {
    "PLUGIN_API_KEY": "pat.acct.id.secret",
    "PLUGIN_ORG": "default",
    "PLUGIN_PROJECT": "infra",
    "PLUGIN_WORKSPACE": "prod",
}
SHOWS = """
if argv[0] == "plan":
    open(next(w for w in argv if w.startswith("-out="))[5:], "w").write("no zip")
    sys.exit(2 if "-detailed-exitcode" in argv else 0)
if argv[0] == "show":
    say(open("{}/plan.json").read())
"""
"""A terraform that can plan, and show one recorded plan."""

CONFIGURATION = """
resource "terraform_data" "a" { input = 1 }
output "o" { value = terraform_data.a.output }
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A container's environment, with a project and a stage's settings."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.tf").write_text(CONFIGURATION)
    return {
        **clean_env(tmp_path, terraform()),
        "PLUGIN_ROOT_DIR": str(project),
        "PLUGIN_HOME": str(tmp_path / "state"),
        "DRONE_OUTPUT": str(tmp_path / "outputs"),
    }


def stage(env: dict[str, str], *before: str) -> subprocess.CompletedProcess[str]:
    """Runs `tfevents plugin`, behind the command `before` if given; returns the result."""
    return subprocess.run(
        [*before, TFEVENTS, "plugin"],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def outputs(env: dict[str, str]) -> dict[str, str]:
    """The outputs that the step has written for later steps."""
    lines = Path(env["DRONE_OUTPUT"]).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def list_kept(env: dict[str, str]) -> list[str]:
    """The types of the events in the stage's journal, in order."""
    kept = subprocess.run(
        [TFEVENTS, "log", "--json"],
        env={**env, "TFEVENTS_HOME": env["PLUGIN_HOME"]},
        capture_output=True,
        check=True,
    )
    return [entry["event"]["event_type"] for entry in json.loads(kept.stdout)["events"]]


def test_an_apply_is_run_unasked_and_told(env: dict[str, str]) -> None:
    """`apply` runs without approval, and its outputs have the event type, counts and exit code."""
    done = stage({**env, "PLUGIN_COMMAND": "apply"})
    assert done.returncode == 0, done.stderr
    assert "Apply complete! Resources: 1 added" in done.stdout
    told = outputs(env)
    assert (told["TFEVENTS_EVENT_TYPE"], told["TFEVENTS_ADDED"]) == ("active", "1")
    assert told["TFEVENTS_HAS_CHANGES"] == "true" and told["TFEVENTS_EXIT_CODE"] == "0"


def test_outputs_are_written_when_terraform_fails(env: dict[str, str]) -> None:
    """A failed step has terraform's exit code, and writes its outputs, too."""
    Path(env["PLUGIN_ROOT_DIR"], "main.tf").write_text("resource {")
    done = stage({**env, "PLUGIN_COMMAND": "plan", "PLUGIN_INIT": "never"})
    assert done.returncode == 1
    assert outputs(env)["TFEVENTS_EVENT_TYPE"] == "failed"
    assert outputs(env)["TFEVENTS_EXIT_CODE"] == "1"


@pytest.mark.exhaustive
def test_every_command_runs_what_it_says(env: dict[str, str]) -> None:
    """Each command of the stage leads to its event type, with a real terraform."""
    kinds = []
    for command in ("plan", "apply", "plan", "apply-refresh-only", "plan-destroy", "destroy"):
        Path(env["DRONE_OUTPUT"]).unlink(missing_ok=True)
        done = stage({**env, "PLUGIN_COMMAND": command})
        assert done.returncode == 0, done.stderr
        kinds.append(outputs(env)["TFEVENTS_EVENT_TYPE"])
    assert kinds == ["apply_needed", "active", "plan", "active", "apply_needed", "inactive"]


@pytest.mark.exhaustive
def test_no_drift_is_no_failure(env: dict[str, str]) -> None:
    """Without drift, `detect-drift` exits with 0."""
    assert stage({**env, "PLUGIN_COMMAND": "apply"}).returncode == 0
    assert stage({**env, "PLUGIN_COMMAND": "detect-drift"}).returncode == 0


@pytest.mark.exhaustive
def test_the_steps_own_endpoint_wins_over_harness_names(env: dict[str, str]) -> None:
    """PLUGIN_ENDPOINT_VARIABLES has precedence over HARNESS_* for server, token and destination."""
    with Endpoint(Rules(api_path="/api", api_key="a.b.c", account="acct")) as endpoint:
        given = {
            "base_url": endpoint.url,
            "account_id": "acct",
            "org_id": "default",
            "project_id": "infra",
            "workspace_id": "prod",
            "token": "a.b.c",
        }
        done = stage(
            {
                **env,
                "PLUGIN_COMMAND": "plan",
                "PLUGIN_ENDPOINT_VARIABLES": json.dumps(given),
                "HARNESS_ACCOUNT_ID": "another",
                "HARNESS_PROJECT_ID": "another",
            }
        )
        assert done.returncode == 0, done.stderr
        event, end = endpoint.wait_for(2)
        place = endpoint.requests[0].place
    assert [event["event_type"], end["event_type"]] == ["apply_needed", "stage-complete"]
    assert place is not None and (place.org, place.project, place.workspace) == (
        "default",
        "infra",
        "prod",
    )


def test_an_empty_setting_is_absent() -> None:
    """An empty setting, as a pipeline passes an unresolved expression, counts as absent; TFEVENTS_*
    has precedence over PLUGIN_*."""
    assert "TFEVENTS_ORG" not in make_environment({"PLUGIN_ORG": "", "PLUGIN_STRICT": " "})
    assert make_environment({"PLUGIN_ORG": "o"})["TFEVENTS_ORG"] == "o"
    assert make_environment({"PLUGIN_ORG": "o", "TFEVENTS_ORG": "mine"})["TFEVENTS_ORG"] == "mine"
    assert make_environment({"PLUGIN_ORG": "o", "TFEVENTS_ORG": ""})["TFEVENTS_ORG"] == "o"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PLUGIN_COMMAND": "aply"}, "PLUGIN_COMMAND: 'aply' is none of"),
        ({"PLUGIN_INIT": "maybe"}, "PLUGIN_INIT: 'maybe'"),
        ({"PLUGIN_ARGS": "-var 'x"}, "PLUGIN_ARGS: "),
        ({"PLUGIN_ROOT_DIR": "/nowhere/at/all"}, "PLUGIN_ROOT_DIR: "),
        ({"PLUGIN_ENDPOINT_VARIABLES": "{"}, "PLUGIN_ENDPOINT_VARIABLES: "),
        ({"PLUGIN_ENDPOINT_VARIABLES": "[1]"}, "PLUGIN_ENDPOINT_VARIABLES: "),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, str], said: str) -> None:
    """An invalid setting raises SettingError with its name."""
    with pytest.raises(SettingError, match=said):
        parse_stage(wrong)


@pytest.fixture
def namespace() -> Iterator[list[str]]:
    """The command line that runs a command as PID 1 of a PID namespace of its own."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if not shutil.which("unshare") or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("no PID namespace can be had here")
    yield command


@pytest.mark.exhaustive
def test_pid_1_hands_sigterm_on_once_and_reaps(
    env: dict[str, str], tmp_path: Path, namespace: list[str]
) -> None:
    """As PID 1, the stage forwards SIGTERM to terraform once, reaps orphans, and exits with
    terraform's exit code."""
    source = (
        "import signal, subprocess, sys, time\n"
        "if sys.argv[1:2] == ['version']:\n    print('Terraform v1.11.4'); sys.exit(0)\n"
        "if sys.argv[1:2] != ['plan']:\n    sys.exit(0)\n"
        "got = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: got.append(1))\n"
        "subprocess.run(['sh', '-c', 'sleep 0.1 & exit 0'])\n"
        f"open({str(tmp_path / 'ready')!r}, 'w').close()\n"
        "until = time.monotonic() + 20\n"
        "while not got and time.monotonic() < until: signal.sigtimedwait([], 0.05)\n"
        "signal.sigtimedwait([], 0.5)\n"
        "states = subprocess.run(['ps', '-eo', 'stat='], capture_output=True, text=True).stdout\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(f'{{len(got)}} {{states.count(chr(90))}}')\n"
        "sys.exit(3)\n"
    )
    engine = tmp_path / "engine" / "terraform"
    engine.parent.mkdir()
    engine.write_text(f"#!{shutil.which('python3')}\n{source}")
    engine.chmod(0o755)
    child = subprocess.Popen(
        [*namespace, TFEVENTS, "plugin"],
        env={**env, "PLUGIN_PROVISIONER": str(engine), "PLUGIN_COMMAND": "plan"},
        stderr=subprocess.DEVNULL,
    )
    _until((tmp_path / "ready").exists, child)
    os.kill(_only_child(child.pid), signal.SIGTERM)
    assert child.wait(60) == 3
    assert (tmp_path / "seen").read_text() == "1 0"
    assert outputs(env)["TFEVENTS_EVENT_TYPE"] == "failed"


@pytest.mark.exhaustive
def test_pid_1_that_is_stopped_before_terraform_starts_runs_nothing(
    env: dict[str, str], tmp_path: Path, namespace: list[str]
) -> None:
    """As PID 1, SIGTERM during `validate`, while no handler forwards signals, ends the stage: the
    apply does not begin."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(
        tmp_path / "engine" / "terraform",
        f"open({str(tmp_path)!r} + '/' + argv[0], 'w').close()\n"
        "if argv[0] == 'validate':\n    time.sleep(2)\n",
    )
    child = subprocess.Popen(
        [*namespace, TFEVENTS, "plugin"],
        env={**env, "PLUGIN_PROVISIONER": str(engine), "PLUGIN_COMMAND": "apply"},
        stderr=subprocess.DEVNULL,
    )
    _until((tmp_path / "validate").exists, child)
    os.kill(_only_child(child.pid), signal.SIGTERM)
    assert child.wait(60) == 128 + signal.SIGTERM
    assert not (tmp_path / "apply").exists()


UNUSABLE = [(b"\x7fELF", 0o755), (b"#!/bin/sh\n", 0o644)]


@pytest.mark.parametrize(("content", "mode"), exhaustive_except(UNUSABLE, UNUSABLE[0]))
def test_a_terraform_that_cannot_be_executed_is_126(
    env: dict[str, str], tmp_path: Path, content: bytes, mode: int
) -> None:
    """For a terraform of another architecture or without execute permission, the exit code is 126,
    and one line names it."""
    unusable = _write_unusable(env, tmp_path, content, mode)
    done = stage(unusable)
    assert (done.returncode, done.stderr.count("\n")) == (126, 1)
    assert f"tfevents: can't run {unusable['PLUGIN_PROVISIONER']}: " in done.stderr


@pytest.mark.exhaustive
def test_pid_1_tells_why_terraform_cannot_be_executed(
    env: dict[str, str], tmp_path: Path, namespace: list[str]
) -> None:
    """As PID 1, the exit code and the line are the same."""
    done = stage(_write_unusable(env, tmp_path, b"\x7fELF", 0o755), *namespace)
    assert (done.returncode, done.stderr.count("\n")) == (126, 1)
    assert "Exec format error" in done.stderr


def _write_unusable(
    env: dict[str, str], tmp_path: Path, content: bytes, mode: int
) -> dict[str, str]:
    """Writes a file as the stage's terraform; returns the stage's environment."""
    path = tmp_path / "engine" / "terraform"
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(mode)
    return {**env, "PLUGIN_PROVISIONER": str(path)}


@pytest.mark.exhaustive
def test_pid_1_tells_of_a_directory_that_cannot_be_entered(
    env: dict[str, str], namespace: list[str]
) -> None:
    """As PID 1, another error of the system is one line, too."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if not shutil.which("setpriv") or subprocess.run([*drop, "true"], check=False).returncode:
        pytest.skip("root's right to enter every directory can't be given up here")
    os.chmod(env["PLUGIN_ROOT_DIR"], 0o600)
    done = stage(env, *namespace, *drop)
    assert done.returncode == 1
    assert done.stderr == f"tfevents: {env['PLUGIN_ROOT_DIR']}: Permission denied\n"


def _until(condition: object, child: subprocess.Popen[bytes]) -> None:
    """Waits until the condition is true; asserts that `child` is running and that no minute has
    passed."""
    limit = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert child.poll() is None and time.monotonic() < limit
        time.sleep(0.02)  # polling interval


def _only_child(pid: int) -> int:
    """The process id of the first child process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])


@pytest.mark.exhaustive
def test_any_user_and_a_read_only_home(env: dict[str, str], tmp_path: Path) -> None:
    """The stage works for a user id without a name whose home directory can't be written."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    os.chmod(tmp_path, 0o777)
    for folder, folders, files in os.walk(tmp_path):
        for name in (*folders, *files):
            os.chown(os.path.join(folder, name), 54321, 54321, follow_symlinks=False)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o005 != 0o005:
            os.chmod(parent, parent.stat().st_mode | 0o055) if parent.owner() == "root" else None
    done = stage(
        {**env, "PLUGIN_COMMAND": "apply", "PLUGIN_HOME": "", "HOME": "/nonexistent"},
        *("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"),
    )
    if "setpriv" in done.stderr or "ermission denied" in done.stderr.splitlines()[0:1]:
        pytest.skip(f"this machine's files are root's alone: {done.stderr[:80]}")
    if "error while loading shared libraries" in done.stderr:
        pytest.skip(f"this interpreter is root's alone: {done.stderr[:80]}")
    assert done.returncode == 0, done.stderr
    assert outputs(env)["TFEVENTS_EVENT_TYPE"] == "active"


def test_the_stages_end_is_told_behind_the_runs(env: dict[str, str]) -> None:
    """One `stage-complete` event follows the run's events, with the same run id and pipeline, also
    if terraform failed."""
    with Endpoint(Rules(account="acct")) as endpoint:
        told = {**env, **DELIVERY, "PLUGIN_URL": endpoint.url, "HARNESS_BUILD_ID": "7"}
        assert stage({**told, "PLUGIN_COMMAND": "apply"}).returncode == 0
        Path(env["PLUGIN_ROOT_DIR"], "main.tf").write_text("resource {")
        assert stage({**told, "PLUGIN_COMMAND": "plan"}).returncode == 1
        events = endpoint.wait_for(5)
    kinds = [event["event_type"] for event in events]
    assert kinds == ["provisioning", "active", "stage-complete", "failed", "stage-complete"]
    end = events[2]
    assert end["metadata"]["pipeline_execution_number"] == "7"
    assert not end["metadata"].keys() & {"activity_type", "resource_counts", "state_checksum"}
    assert end["data"]["run_id"] == events[1]["data"]["run_id"]
    assert outputs(env)["TFEVENTS_EVENT_TYPE"] == "failed"


@pytest.mark.exhaustive
def test_an_init_that_fails_ends_the_stage(env: dict[str, str]) -> None:
    """If `init` fails, the stage reports `failed` and `stage-complete`, writes the outputs, and
    exits with init's exit code."""
    Path(env["PLUGIN_ROOT_DIR"], "main.tf").write_text('module "m" { source = "./missing" }\n')
    with Endpoint(Rules(account="acct")) as endpoint:
        done = stage({**env, **DELIVERY, "PLUGIN_URL": endpoint.url, "PLUGIN_COMMAND": "apply"})
        events = endpoint.wait_for(2)
    assert done.returncode == 1
    assert [event["event_type"] for event in events] == ["failed", "stage-complete"]
    assert events[0]["metadata"]["activity_type"] == "apply"
    assert outputs(env) == {
        "TFEVENTS_EVENT_TYPE": "failed",
        "TFEVENTS_ACTIVITY_TYPE": "apply",
        "TFEVENTS_ACTIVITY_STATUS": "failure",
        "TFEVENTS_EXIT_CODE": "1",
    }


@pytest.mark.exhaustive
def test_a_backend_needs_init(env: dict[str, str]) -> None:
    """The stage runs `init` if a declared backend is not initialised, which `validate` would not
    notice, and not again afterwards."""
    project = Path(env["PLUGIN_ROOT_DIR"])
    (project / "backend.tf").write_text('terraform {\n  backend "local" { path = "s" }\n}\n')
    assert stage({**env, "PLUGIN_COMMAND": "apply"}).returncode == 0
    assert (project / "s").exists()
    again = stage({**env, "PLUGIN_COMMAND": "plan"})
    assert (again.returncode, "Initializing" in again.stdout) == (0, False)


DRIFTS = [
    ("drift_refresh_only", "", 2),
    ("drift_refresh_only", "-detailed-exitcode", 2),
    ("drift_none_first_refresh", "", 0),
    ("drift_none_first_refresh", "-detailed-exitcode", 0),
]


@pytest.mark.parametrize(("scenario", "arguments", "code"), exhaustive_except(DRIFTS, DRIFTS[0]))
def test_drift_is_exit_code_2(
    env: dict[str, str], tmp_path: Path, scenario: str, arguments: str, code: int
) -> None:
    """`detect-drift` exits with 2 if there is drift by tfevents' counts, whatever terraform's
    `-detailed-exitcode` says."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(tmp_path / "engine" / "terraform", SHOWS.format(PLANS / scenario))
    stage_env = {**env, "PLUGIN_PROVISIONER": str(engine), "PLUGIN_INIT": "never"}
    done = stage({**stage_env, "PLUGIN_COMMAND": "detect-drift", "PLUGIN_ARGS": arguments})
    assert done.returncode == code, done.stderr
    assert outputs(env)["TFEVENTS_HAS_DRIFT"] == str(code == 2).lower()


@pytest.mark.exhaustive
def test_outputs_that_cannot_be_written_are_told(env: dict[str, str], tmp_path: Path) -> None:
    """If the outputs can't be written, one line says so, and the exit code stays the same."""
    done = stage({**env, "DRONE_OUTPUT": str(tmp_path / "none" / "outputs")})
    assert done.returncode == 0
    assert done.stderr.count("a later step is not told") == 1


def test_the_steps_token_is_not_inherited(env: dict[str, str], tmp_path: Path) -> None:
    """Terraform inherits no API key or token of tfevents, whichever variable held it."""
    engine = tmp_path / "engine" / "terraform"
    engine.parent.mkdir()
    engine.write_text(f"#!/bin/sh\nenv >>{tmp_path}/seen\n")
    engine.chmod(0o755)
    keys = {
        "PLUGIN_ENDPOINT_VARIABLES": json.dumps({"token": "canary"}),
        "PLUGIN_API_KEY": "pat.a.b.canary",
        "HARNESS_PLATFORM_API_KEY": "theirs",
    }
    stage({**env, **keys, "PLUGIN_PROVISIONER": str(engine), "PLUGIN_COMMAND": "plan"})
    seen = (tmp_path / "seen").read_text()
    assert "canary" not in seen
    assert "HARNESS_PLATFORM_API_KEY=theirs" in seen


@pytest.mark.exhaustive
@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_a_stop_during_init_is_handed_on_and_does_not_wait(
    env: dict[str, str], tmp_path: Path, again: bool
) -> None:
    """SIGTERM during `init` is forwarded, and all events are in the journal soon, although the
    server does not answer: an engine kills the stage ten seconds later. A second SIGTERM changes
    nothing."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(
        tmp_path / "engine" / "terraform",
        "if argv[0] != 'init':\n    sys.exit(1)\nsay('initialising')\nhang()\n",
    )
    with Endpoint() as endpoint:
        endpoint.always(HANG)
        child = subprocess.Popen(
            [TFEVENTS, "plugin"],
            env={
                **env,
                **DELIVERY,
                "PLUGIN_URL": endpoint.url,
                "PLUGIN_TIMEOUT": "600",
                "PLUGIN_PROVISIONER": str(engine),
                "PLUGIN_COMMAND": "apply",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdout is not None and b"initialising" in child.stdout.readline()
        os.kill(child.pid, signal.SIGTERM)
        if again:
            endpoint.wait_for_requests(1, 60)
            os.kill(child.pid, signal.SIGTERM)
        assert child.wait(60) == 128 + signal.SIGTERM
        child.stdout.close()
    assert list_kept(env) == ["failed", "stage-complete"]


@pytest.mark.exhaustive
def test_a_stop_that_init_survives_ends_the_stage(env: dict[str, str], tmp_path: Path) -> None:
    """SIGTERM during `init` ends the stage with 143 and `failed`, even if `init` exits with 0: the
    apply does not begin."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(
        tmp_path / "engine" / "terraform",
        f"open({str(tmp_path)!r} + '/' + argv[0], 'w').close()\n"
        "if argv[0] == 'init':\n"
        "    count(signal.SIGTERM)\n    say('initialising')\n    select.select([woken], [], [])\n",
    )
    step = {"PLUGIN_PROVISIONER": str(engine), "PLUGIN_COMMAND": "apply", "PLUGIN_INIT": "always"}
    with subprocess.Popen(
        [TFEVENTS, "plugin"],
        env={**env, **step},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None and b"initialising" in child.stdout.readline()
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(60) == 128 + signal.SIGTERM
    assert not (tmp_path / "apply").exists()
    assert outputs(env)["TFEVENTS_EVENT_TYPE"] == "failed"


INIT = """
import os, signal, sys
from tfevents.stage.init import run_init
from tfevents.stage.settings import parse_stage
def stop():
    os.kill(os.getpid(), signal.SIGTERM)
if sys.argv[1] == "before":
    os.register_at_fork(after_in_parent=stop) # when the signals are handled, before init is started
if sys.argv[1] == "at the end":
    find_code = os.waitstatus_to_exitcode
    os.waitstatus_to_exitcode = lambda status: (stop(), find_code(status))[1]
print(run_init(parse_stage(os.environ), sys.argv[2]), flush=True)
stop()
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("when", "told", "code"),
    [
        ("before", "(-15, True)\n", 0),
        ("at the end", "(-15, True)\n", 0),
        ("after", "(0, False)\n", -signal.SIGTERM),
    ],
)
def test_a_signal_around_init_is_not_lost(
    env: dict[str, str], when: str, told: str, code: int
) -> None:
    """A signal just before or after `init` is the stage's, and one between `init` and the run ends
    the stage: otherwise a stage that was cancelled would apply. A second one does not end it."""
    step = {"PLUGIN_INIT": "always", "PLUGIN_COMMAND": "apply"}
    done = subprocess.run(
        [sys.executable, "-c", INIT, when, terraform()],
        env={**env, **step},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith(told)
    assert done.returncode == code


@pytest.mark.parametrize(
    "name", exhaustive_except(["PLUGIN_DISABLED", "TFEVENTS_DISABLED"], "PLUGIN_DISABLED")
)
def test_a_disabled_stage_only_runs_terraform(
    env: dict[str, str], tmp_path: Path, name: str
) -> None:
    """With `DISABLED`, `init` and the command are run as ever, but there are no events, no outputs
    and no lines, and the exit code is terraform's."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(
        tmp_path / "engine" / "terraform", "say(argv[0])\nsys.exit(3 * (argv[0] == 'plan'))\n"
    )
    step = {name: "1", "PLUGIN_PROVISIONER": str(engine), "PLUGIN_INIT": "always"}
    done = stage({**env, **step})
    assert (done.returncode, done.stdout.split(), done.stderr) == (3, ["init", "plan"], "")
    assert stage({**env, **step, "PLUGIN_COMMAND": "stage-complete"}).stderr == ""
    assert not Path(env["DRONE_OUTPUT"]).exists() and not Path(env["PLUGIN_HOME"]).exists()


@pytest.mark.parametrize("arguments", exhaustive_except(["", "-detailed-exitcode"], ""))
def test_unknown_drift_is_an_error(env: dict[str, str], tmp_path: Path, arguments: str) -> None:
    """If the plan can't be read, `detect-drift` exits with 1, and a line says so: neither 0 nor 2
    would be true."""
    (tmp_path / "engine").mkdir()
    source = "sys.exit(2 if '-detailed-exitcode' in argv else 0)\n"
    engine = script_engine(tmp_path / "engine" / "terraform", source)
    step = {"PLUGIN_PROVISIONER": str(engine), "PLUGIN_INIT": "never", "PLUGIN_ARGS": arguments}
    done = stage({**env, **step, "PLUGIN_COMMAND": "detect-drift"})
    assert done.returncode == 1
    assert "tfevents: detect-drift: whether there is drift is not known\n" in done.stderr


SETTINGS = [({"PLUGIN_TIMEOUT": "abc"}, 2), ({"PLUGIN_QUIET": "1"}, 0)]


@pytest.mark.parametrize(("setting", "lines"), exhaustive_except(SETTINGS, SETTINGS[0]))
def test_a_failed_init_is_reported_whatever_the_settings(
    env: dict[str, str], tmp_path: Path, setting: dict[str, str], lines: int
) -> None:
    """If `init` fails and a setting is invalid, the exit code is init's, the outputs are written,
    and the events stay in the journal. With `QUIET` there is no line."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(tmp_path / "engine" / "terraform", "sys.exit(3)\n")
    step = {"PLUGIN_PROVISIONER": str(engine), "PLUGIN_INIT": "always", **setting}
    done = stage({**env, **step})
    assert (done.returncode, done.stderr.count("\n")) == (3, lines)
    assert outputs(env)["TFEVENTS_EXIT_CODE"] == "3"
    assert list_kept(env) == ["failed", "stage-complete"]


@pytest.mark.exhaustive
def test_a_terraform_that_dies_with_2_is_no_drift(env: dict[str, str], tmp_path: Path) -> None:
    """If terraform dies with code 2, as Go does of a fatal error, `detect-drift` exits with 1."""
    (tmp_path / "engine").mkdir()
    engine = script_engine(tmp_path / "engine" / "terraform", "sys.exit(2)\n")
    step = {"PLUGIN_PROVISIONER": str(engine), "PLUGIN_INIT": "never"}
    assert stage({**env, **step, "PLUGIN_COMMAND": "detect-drift"}).returncode == 1
