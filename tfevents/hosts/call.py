"""One call of a hook: its options, and what the host and CI say where an option is not given."""

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
from tfevents.terraform.workdir import WorkingDirectory, find_unit_directory, keep_workspace


class CallOptions(Struct, frozen=True):
    """The options of `tfevents hook`; None where one is not given.

    `succeeded`: the outcome, of which nobody knows the number.
    """

    plan_file: str | None = None
    plan_json: str | None = None
    exit_code: int | None = None
    succeeded: bool | None = None
    directory: str | None = None


class HookCall(Struct, frozen=True):
    """One call. `moment`: before, after or error.

    `directory` is where terraform works, `unit` the directory that the run is named by. `options`:
    terraform's own before its command. `said`: the outcome, where its number is not known.
    `partial`: what command line and environment (TF_CLI_ARGS_plan) leave out of a plan. `detailed`:
    whether an exit code of 0 says that there are no changes. `state_elsewhere`: whether the run's
    state is not the backend's.
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
    said: bool | None = None
    options: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    detailed: bool = False
    state_elsewhere: bool = False

    @property
    def key(self) -> str:
        """The same for all calls of one run, and of no other run; a hash, in hexadecimal."""
        parts = "\0".join((self.unit, self.tf_workspace, self.execution))
        return hashlib.sha256(parts.encode(errors="surrogateescape")).hexdigest()

    @property
    def succeeded(self) -> bool | None:
        """The outcome by the moment, else as it was said, else the host; None where none says."""
        if self.moment == "error":
            return False
        if self.said is not None:
            return self.said
        code = self.host.exit_code if self.exit_code is None else self.exit_code
        if code is not None:
            return code in ((0, 2) if self.command == "plan" else (0,))
        return None if self.host.failed is None else not self.host.failed

    @property
    def changes(self) -> bool | None:
        """Whether there is something to apply, by the exit code of a plan; None where it does not
        say."""
        if self.command != "plan":
            return None
        return (
            True
            if self.exit_code == 2
            else False
            if self.exit_code == 0 and self.detailed
            else None
        )


def parse_call(
    moment: str, words: Sequence[str], options: CallOptions, host: HookHost, env: Mapping[str, str]
) -> HookCall | None:
    """The call; None where nothing is reported. `words`: terraform's own, or its command alone."""
    line = _parse_line(words, env)
    if line is None:
        return None
    directory = os.path.abspath(line.chdir)
    unit = options.directory or find_unit_directory(directory, env, hooked=True)
    typed = _find_plan_file(_parse_line(words, {}))
    return HookCall(
        moment=moment,
        command=line.command,
        mode=host.mode or line.mode,
        directory=directory,
        unit=os.path.realpath(unit),
        tf_workspace=keep_workspace(
            host.tf_workspace or WorkingDirectory(directory, env).tf_workspace
        ),
        execution=host.execution or find_execution(env),
        host=host,
        plan_file=typed or options.plan_file or host.plan_file or _find_plan_file(line),
        plan_json=options.plan_json or host.plan_json,
        exit_code=options.exit_code,
        said=options.succeeded,
        options=line.options,
        partial=host.partial or line.partial,
        detailed=line.on("detailed-exitcode"),
        state_elsewhere=bool(line.names() & STATE),
    )


def find_unknown_command(words: Sequence[str]) -> str | None:
    """The command, where it is none of terraform's; None where it is one, or none is there."""
    command = _find_command(words)
    return command if command and command not in SUBCOMMANDS else None


def _parse_line(words: Sequence[str], env: Mapping[str, str]) -> Arguments | None:
    """The command line; None where terraform does nothing that is reported."""
    parsed, command = parse_arguments(tuple(words), env), _find_command(words)
    if parsed is None and len(words) == 1 and command in REPORTED:
        return Arguments(command, (), (), (), sure=False)  # TF_CLI_ARGS is terraform's to refuse
    return None if parsed is None or parsed.helps else parsed


def _find_command(words: Sequence[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _find_plan_file(line: Arguments | None) -> str | None:
    """The plan file that is written or applied, as seen from here."""
    if line is None:
        return None
    path = files.find_path(line.value("out") if line.command == "plan" else line.plan_file)
    return os.path.join(line.chdir, path) if path and line.chdir != "." else path


def find_execution(env: Mapping[str, str]) -> str:
    """The CI's id of this job; empty outside of CI. In another job a directory is another run."""
    build = ci.find_build(env, read_event_file)
    if build is None:
        return ""
    return ":".join(filter(None, (build.vendor, build.execution_id, build.stage_id)))
