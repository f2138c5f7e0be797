"""One call of a hook: its options, and what the host and CI say where an option is not given."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from msgspec import Struct

from tfevents.context import ci
from tfevents.context.origin import read_event_file
from tfevents.hosts.hook_hosts import HookHost
from tfevents.terraform import arguments
from tfevents.terraform.arguments import Mode
from tfevents.terraform.workdir import WorkingDirectory, find_unit_directory

COMMANDS = {
    "plan": ("plan", Mode.NORMAL),
    "apply": ("apply", Mode.NORMAL),
    "destroy": ("destroy", Mode.DESTROY),
    "refresh": ("refresh", Mode.NORMAL),
    "import": ("import", Mode.NORMAL),
}
"""The commands that are reported → terraform's command and its mode."""


class CallOptions(Struct, frozen=True):
    """The options of `tfevents hook`; None where one is not given."""

    plan_file: str | None = None
    plan_json: str | None = None
    exit_code: int | None = None
    directory: str | None = None


class HookCall(Struct, frozen=True):
    """One call. `moment`: before, after or error.

    `directory` is where terraform works, `unit` the directory that the run is named by. `partial`:
    what the environment's own arguments (TF_CLI_ARGS_plan) leave out of a plan.
    """

    moment: str
    command: str
    mode: Mode
    directory: str
    unit: str
    tf_workspace: str
    execution: str
    host: HookHost
    plan_file: str | None = None
    plan_json: str | None = None
    exit_code: int | None = None
    partial: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same for all calls of one run, and of no other run; a hash, in hexadecimal."""
        parts = "\0".join((self.unit, self.tf_workspace, self.execution))
        return hashlib.sha256(parts.encode(errors="surrogateescape")).hexdigest()

    @property
    def succeeded(self) -> bool | None:
        """The outcome by the moment, else the exit code, else the host; None where none says."""
        code = self.host.exit_code if self.exit_code is None else self.exit_code
        if self.moment == "error":
            return False
        if code is not None:
            return code in ((0, 2) if self.command == "plan" else (0,))
        return None if self.host.failed is None else not self.host.failed


def parse_call(
    moment: str, command: str, options: CallOptions, host: HookHost, env: Mapping[str, str]
) -> HookCall | None:
    """The call; None for a command that is not reported."""
    name, mode = COMMANDS.get(command or host.command or "", ("", Mode.NORMAL))
    if not name:
        return None
    directory = os.getcwd()
    parsed = arguments.parse_arguments((name,), env)
    unit = options.directory or find_unit_directory(directory, env, hooked=True)
    return HookCall(
        moment=moment,
        command=name,
        mode=host.mode or (parsed.mode if parsed else mode),
        directory=directory,
        unit=os.path.realpath(unit),
        tf_workspace=host.tf_workspace or WorkingDirectory(directory, env).tf_workspace,
        execution=host.execution or find_execution(env),
        host=host,
        plan_file=options.plan_file or host.plan_file,
        plan_json=options.plan_json or host.plan_json,
        exit_code=options.exit_code,
        partial=host.partial or (parsed.partial if parsed else ()),
    )


def find_execution(env: Mapping[str, str]) -> str:
    """The CI's id of this job; empty outside of CI. In another job a directory is another run."""
    build = ci.find_build(env, read_event_file)
    if build is None:
        return ""
    return ":".join(filter(None, (build.vendor, build.execution_id, build.stage_id)))
