"""Reads what terraform's own files say about a working directory, without running terraform."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from tfevents import files
from tfevents.terraform.binary import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tfevents.terraform.state import Identity

SERIAL, LINEAGE = rb'"serial":\s*(\d+)', rb'"lineage":\s*"([^"\\]*)"'
HEAD = 4096
"""How many bytes of a state file are read for its serial and lineage: all long parts follow."""
NO_STATE: Identity = (0, "")
"""The identity if there is no state: NEVER_WRITTEN in state.py, which imports msgspec, so that it
can't be imported before terraform is started."""
LONGEST_NAME = 1024
"""The longest workspace name, in characters: the name is part of an S3 key, which has at most 1024
bytes."""
CLOUD_BACKENDS = frozenset({"remote", "cloud"})


FileIdentity = tuple[int, int, int]
"""A file's modification time in nanoseconds, size in bytes and inode number."""
CACHE = os.sep + ".terragrunt-cache" + os.sep
COPIED = (".terragrunt-source-manifest", ".terragrunt-module-manifest")
"""Files that Terragrunt leaves in a directory into which it has copied a unit's configuration."""
UNIT = "TG_CTX_TERRAGRUNT_DIR"
PROJECT_ROOT = "TF_VAR_spacelift_project_root"


class WorkingDirectory:
    """A directory that terraform works in. `env`: terraform's environment variables."""

    def __init__(self, directory: str, env: Mapping[str, str]) -> None:
        self.directory, self.env = directory, env

    @property
    def data_dir(self) -> str:
        """Terraform's data directory: TF_DATA_DIR, else `.terraform`."""
        return os.path.join(self.directory, self.env.get("TF_DATA_DIR") or ".terraform")

    @property
    def tf_workspace(self) -> str:
        """The selected workspace: TF_WORKSPACE, else as stored in `data_dir`, else `default`."""
        chosen = self.env.get("TF_WORKSPACE") or self._read("environment").strip()
        return clean_workspace_name(chosen or "default")

    @property
    def lacks_plugins(self) -> bool:
        """Whether there is a lock file, but no provider was ever installed here."""
        locked = os.path.exists(os.path.join(self.directory, LOCK_FILE))
        return locked and not os.path.isdir(os.path.join(self.data_dir, "providers"))

    @property
    def in_cloud(self) -> bool:
        """Whether the backend is `remote` or `cloud`.

        Only the backend's type is read: the same file holds credentials.
        """
        text = self._read("terraform.tfstate")
        return bool(text) and backend_type(text) in CLOUD_BACKENDS

    @property
    def has_backend(self) -> bool:
        """Whether a backend was initialised here; False for an undeclared local backend."""
        return backend_type(self._read("terraform.tfstate")) is not None

    def read_state_identity(self) -> Identity | None:
        """Serial and lineage of the state if it is a local file; NO_STATE if that file is missing
        or empty, None if the state is elsewhere or can't be read.

        Reads the file at once: `state pull` would be too late, as terraform may have written by
        then.
        """
        path = self._state_file()
        if path is None:
            return None
        try:
            with files.open_untrusted(path) as file:
                head = file.read(HEAD)
        except OSError as error:
            return NO_STATE if isinstance(error, FileNotFoundError) else None
        return _parse_identity(head) or (None if head.strip() else NO_STATE)

    def read_written_state(self, since: float) -> bytes | None:
        """The state if it is a local file written at `since` (Unix time) or later; else None.

        For Terraform the result is what `state pull` prints: the file and one more newline.
        """
        path = self._state_file()
        try:
            if path is None or os.stat(path).st_mtime < since:
                return None
            with files.open_untrusted(path) as file:
                return file.read() + b"\n"
        except OSError:
            return None

    def find_state(self, identity: Identity) -> bytes | None:
        """The state with this identity, from the local state file or from the backup that terraform
        makes before it first writes; None if neither is that state."""
        path = self._state_file()
        for candidate in (path, f"{path}.backup") if path else ():
            with suppress(OSError), files.open_untrusted(candidate) as file:
                data = file.read()
                whole = data.rstrip().endswith(b"}")  # terraform may be rewriting it
                if whole and _parse_identity(data[:HEAD]) == identity:
                    return data
        return None

    def _state_file(self) -> str | None:
        """The path of the local backend's state file (backend/local, statePathFor); None for any
        other backend, and if the configured path is not a possible path."""
        backend = _backend(self._read("terraform.tfstate"))
        config = backend.get("config") or {}
        if backend.get("type", "local") != "local" or not isinstance(config, dict):
            return None
        parts = [config.get("path") or "terraform.tfstate"]
        if self.tf_workspace != "default":
            spaces = config.get("workspace_dir") or "terraform.tfstate.d"
            parts = [spaces, self.tf_workspace, "terraform.tfstate"]
        return _join(self.directory, parts)

    def _read(self, name: str) -> str:
        """The text of a file in the data directory; empty if it can't be read."""
        try:
            path = os.path.join(self.data_dir, name)
            return files.read_untrusted(path, 1 << 20, root=self.data_dir).decode(errors="replace")
        except OSError:
            return ""


def clean_workspace_name(name: str) -> str:
    """A workspace name that can be stored and sent: `?` replaces what can't be encoded, and a
    longer name than any backend allows is cut."""
    return name.encode(errors="replace").decode()[:LONGEST_NAME]


def find_unit_directory(directory: str, env: Mapping[str, str], *, hooked: bool = False) -> str:
    """The directory as its users know it: the unit's, if terraform works in Terragrunt's copy.

    Terragrunt sets TG_CTX_TERRAGRUNT_DIR in its hooks only. The variable is used in such a copy,
    wherever the cache is, and everywhere if `hooked`: the hook that calls us is then the unit's.
    """
    said = files.find_path(env.get(UNIT))
    if said and hooked:
        return said
    unit, cache, _ = directory.partition(CACHE)
    if cache:
        return unit or os.sep
    copied = said and any(os.path.lexists(os.path.join(directory, name)) for name in COPIED)
    return said if said and copied else directory


def find_copy_root(directory: str, env: Mapping[str, str]) -> str | None:
    """The top of a checkout that a host has copied without `.git`; None if no variable gives it.

    Spacelift's variable holds the stack's directory within the checkout.
    https://docs.spacelift.io/concepts/configuration/environment#environment-variables
    """
    part = os.path.normpath(env.get(PROJECT_ROOT) or ".")
    real = os.path.realpath(directory)
    here = part != "." and real.endswith(os.path.join(os.sep, part))
    return real[: -len(part)].rstrip(os.sep) or os.sep if here else None


def _join(directory: str, parts: Sequence[object]) -> str | None:
    """The path of these parts; None if a part is not a string, or if no file can have that name."""
    names = [part for part in parts if isinstance(part, str)]
    path = os.path.join(directory, *names)
    try:
        named = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return None
    return path if named and len(names) == len(parts) else None


def _parse_identity(head: bytes) -> Identity | None:
    """Serial and lineage in the first bytes of a state file; None if either is not found."""
    serial, lineage = re.search(SERIAL, head), re.search(LINEAGE, head)
    if not (serial and lineage):
        return None
    return int(serial[1]), lineage[1].decode(errors="replace")


def file_identity(path: str) -> FileIdentity | None:
    """The file's identity, which changes when the file is rewritten; None if there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def backend_type(text: str) -> str | None:
    """The backend's type in the text of `.terraform/terraform.tfstate`; None without a backend."""
    kind = _backend(text).get("type")
    return kind if isinstance(kind, str) else None


def _backend(text: str) -> Mapping[str, Any]:
    """The `backend` object in that text; empty if the text has none or can't be parsed."""
    if not text:
        return {}
    try:
        backend = json.loads(text)["backend"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return backend if isinstance(backend, dict) else {}
