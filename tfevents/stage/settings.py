"""Parses the container's PLUGIN_* settings: the command to run, and its environment."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping

from msgspec import Struct

from tfevents.errors import SettingError
from tfevents.settings.environment import PREFIX

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "plan": ("plan", "-input=false"),
    "plan-destroy": ("plan", "-destroy", "-input=false"),
    "plan-refresh-only": ("plan", "-refresh-only", "-input=false"),
    "detect-drift": ("plan", "-refresh-only", "-input=false"),
    "apply": ("apply", "-auto-approve", "-input=false"),
    "apply-refresh-only": ("apply", "-refresh-only", "-auto-approve", "-input=false"),
    "destroy": ("destroy", "-auto-approve", "-input=false"),
    "import": ("import", "-input=false"),
}
"""PLUGIN_COMMAND → terraform's command line, without prompts: nobody could answer them."""

STAGE_SETTINGS = tuple(
    f"PLUGIN_{name}" for name in ("COMMAND", "ROOT_DIR", "ARGS", "INIT", "ENDPOINT_VARIABLES")
)
"""The stage's own settings; every other PLUGIN_X is taken as TFEVENTS_X."""

PATH_SETTINGS = ("API_KEY_FILE", "CA_BUNDLE", "COST_FILE", "HOME", "PROVISIONER")
"""The settings that take a path, without their prefix."""

ENDPOINT_SETTINGS = {
    "base_url": "URL",
    "account_id": "ACCOUNT",
    "org_id": "ORG",
    "project_id": "PROJECT",
    "workspace_id": "WORKSPACE",
    "token": "API_KEY",
}
"""Member of the IaCM step's PLUGIN_ENDPOINT_VARIABLES → our setting, without its prefix."""


class Stage(Struct, frozen=True):
    """One stage. `command`: a key of COMMANDS or stage-complete; `init`: auto, always or never."""

    command: str
    directory: str
    arguments: tuple[str, ...]
    init: str
    env: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"Stage({self.command!r}, {self.directory!r})"


def parse_stage(env: Mapping[str, str]) -> Stage:
    """The stage that the PLUGIN_* variables describe. Raises SettingError."""
    command = _find_setting(env, "COMMAND") or "plan"
    if command not in (*COMMANDS, "stage-complete"):
        raise SettingError(
            f"PLUGIN_COMMAND: {command[:40]!r} is none of {', '.join(COMMANDS)}, stage-complete"
        )
    init = _find_setting(env, "INIT") or "auto"
    if init not in ("auto", "always", "never"):
        raise SettingError(f"PLUGIN_INIT: {init[:20]!r} is none of auto, always, never")
    try:
        arguments = tuple(shlex.split(_find_setting(env, "ARGS") or ""))
    except ValueError as error:
        raise SettingError(f"PLUGIN_ARGS: {error}") from None
    directory = os.path.abspath(_find_setting(env, "ROOT_DIR") or ".")
    if not os.path.isdir(directory):
        raise SettingError(f"PLUGIN_ROOT_DIR: there is no directory {directory}")
    return Stage(command, directory, arguments, init, make_environment(env))


def _find_setting(env: Mapping[str, str], name: str) -> str | None:
    """The value of PLUGIN_<name>; None if it is empty, which is how a pipeline passes an expression
    that it can't resolve."""
    return env.get(f"PLUGIN_{name}", "").strip() or None


def make_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment, with every PLUGIN_X also as TFEVENTS_X, and with the IaCM step's endpoint.

    The first of these wins: TFEVENTS_X, PLUGIN_X, PLUGIN_ENDPOINT_VARIABLES. Harness' own variables
    come last. Raises SettingError.
    """
    environment = {
        name: value for name, value in env.items() if value.strip() or not name.startswith(PREFIX)
    }
    for name, value in env.items():
        if name.startswith("PLUGIN_") and name not in STAGE_SETTINGS and value.strip():
            environment.setdefault(
                PREFIX + name.removeprefix("PLUGIN_").removeprefix(PREFIX), value
            )
    for name, value in _parse_endpoint(env).items():
        environment.setdefault(PREFIX + name, value)
    return {**environment, **_resolve_paths(environment)}


def _resolve_paths(env: Mapping[str, str]) -> dict[str, str]:
    """The variables of PATH_SETTINGS with absolute paths: they are relative to the working
    directory of the container, not to the stage's. A provisioner without a slash is a name."""
    given = {name: env.get(PREFIX + name, "").strip() for name in PATH_SETTINGS}
    return {
        PREFIX + name: os.path.abspath(os.path.expanduser(path))
        for name, path in given.items()
        if path and (name != "PROVISIONER" or os.sep in path)
    }


def _parse_endpoint(env: Mapping[str, str]) -> dict[str, str]:
    """The settings in PLUGIN_ENDPOINT_VARIABLES, by their names without the prefix TFEVENTS_.

    Raises SettingError if the variable is no JSON object.
    """
    text = _find_setting(env, "ENDPOINT_VARIABLES")
    if text is None:
        return {}
    try:
        endpoint = json.loads(text)
    except (ValueError, RecursionError):
        endpoint = None
    if not isinstance(endpoint, dict):
        raise SettingError("PLUGIN_ENDPOINT_VARIABLES: this takes a JSON object")
    settings = {
        ENDPOINT_SETTINGS[k]: v
        for k, v in endpoint.items()
        if k in ENDPOINT_SETTINGS and isinstance(v, str) and v
    }
    return {**settings, "API_PATH": "/api"} if "URL" in settings else settings
