"""One call of a hook: its options, else the values that the host and the CI system provide."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tfevents import files
from tfevents.context import ci
from tfevents.context.origin import read_event_file
from tfevents.hosts.hook_hosts import HookHost
from tfevents.terraform.arguments import (
    REPORTED,
    STATE,
    SUBCOMMANDS,
    Arguments,
    Mode,
    parse_arguments,
)
from tfevents.terraform.workdir import WorkingDirectory, clean_workspace_name, find_unit_directory


class CallOptions(Struct, frozen=True):
    """The options of `tfevents hook`; None for an option that is not given.

    `succeeded`: the outcome, where `--exit-code` is `success` or `failure` and not a number.
    """

    plan_file: str | None = None
    plan_json: str | None = None
    exit_code: int | None = None
    succeeded: bool | None = None
    directory: str | None = None


class HookCall(Struct, frozen=True):
    """One call. `moment`: before, after or error.

    `directory` is terraform's working directory, `unit` the directory that identifies the run.
    `options`: terraform's options before its command (`-chdir`). `exit_code`: terraform's.
    `stated_outcome`: the outcome, where it was given without a number. `partial_reasons`: what
    makes the plan less than a full one, by the host, the command line or TF_CLI_ARGS_plan.
    `detailed_exitcode`: whether `-detailed-exitcode` is given, so that exit code 0 means no
    changes. `state_elsewhere`: whether `-state` or `-state-out` is given, so that the run's state
    may not be the backend's.
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
    stated_outcome: bool | None = None
    options: tuple[str, ...] = ()
    partial_reasons: tuple[str, ...] = ()
    detailed_exitcode: bool = False
    state_elsewhere: bool = False

    @property
    def key(self) -> str:
        """A hexadecimal hash, the same for all calls with this unit, workspace and execution."""
        parts = "\0".join((self.unit, self.tf_workspace, self.execution))
        return hashlib.sha256(parts.encode(errors="surrogateescape")).hexdigest()

    @property
    def succeeded(self) -> bool | None:
        """The outcome by the moment, else by the options, else by the host; None where unknown."""
        if self.moment == "error":
            return False
        if self.stated_outcome is not None:
            return self.stated_outcome
        code = self.host.job_exit_code if self.exit_code is None else self.exit_code
        if code is not None:
            return code in ((0, 2) if self.command == "plan" else (0,))
        return None if self.host.failed is None else not self.host.failed

    @property
    def has_changes(self) -> bool | None:
        """Whether there is something to apply, by the exit code of a plan; None where the exit
        code does not show that."""
        if self.command != "plan":
            return None
        return (
            True
            if self.exit_code == 2
            else False
            if self.exit_code == 0 and self.detailed_exitcode
            else None
        )


def parse_call(
    moment: str, words: Sequence[str], options: CallOptions, host: HookHost, env: Mapping[str, str]
) -> HookCall | None:
    """The call; None where nothing is reported. `words`: terraform's command line or command."""
    arguments = _parse_line(words, env)
    if arguments is None:
        return None
    directory = os.path.abspath(arguments.chdir)
    unit = options.directory or find_unit_directory(directory, env, hooked=True)
    named_plan = _find_plan_file(_parse_line(words, {}))
    unstated = options.exit_code is None and options.succeeded is None
    return HookCall(
        moment=moment,
        command=arguments.command,
        mode=host.mode or arguments.mode,
        directory=directory,
        unit=os.path.realpath(unit),
        tf_workspace=clean_workspace_name(
            host.tf_workspace or WorkingDirectory(directory, env).tf_workspace
        ),
        execution=host.execution or find_execution(env),
        host=host,
        plan_file=named_plan or options.plan_file or host.plan_file or _find_plan_file(arguments),
        plan_json=options.plan_json or host.plan_json,
        exit_code=host.exit_code if unstated else options.exit_code,
        stated_outcome=options.succeeded,
        options=arguments.options,
        partial_reasons=host.partial_reasons or arguments.partial_reasons,
        detailed_exitcode=arguments.on("detailed-exitcode"),
        state_elsewhere=bool(arguments.names() & STATE),
    )


def find_unknown_command(words: Sequence[str]) -> str | None:
    """The command if terraform has no such command; None if it has, or if no command is given."""
    command = _find_command(words)
    return command if command and command not in SUBCOMMANDS else None


def _parse_line(words: Sequence[str], env: Mapping[str, str]) -> Arguments | None:
    """The parsed command line; None for a command that is not reported, and for `-help`."""
    parsed, command = parse_arguments(tuple(words), env), _find_command(words)
    if parsed is None and len(words) == 1 and command in REPORTED:
        # terraform refuses a bad TF_CLI_ARGS
        return Arguments(command, (), (), (), parsed_exactly=False)
    return None if parsed is None or parsed.shows_help else parsed


def _find_command(words: Sequence[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _find_plan_file(arguments: Arguments | None) -> str | None:
    """The plan file that is written or applied, relative to our own working directory."""
    if arguments is None:
        return None
    path = files.find_path(
        arguments.value("out") if arguments.command == "plan" else arguments.plan_file
    )
    return os.path.join(arguments.chdir, path) if path and arguments.chdir != "." else path


def find_execution(env: Mapping[str, str]) -> str:
    """The CI vendor and its ids of this job; empty outside CI.

    Part of a run's key: the same directory in another job is another run.
    """
    build = ci.find_build(env, read_event_file)
    if build is None:
        return ""
    return ":".join(filter(None, (build.vendor, build.execution_id, build.stage_id)))
