"""What terraform's own files say about a directory, without asking terraform."""

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
"""Bytes of a state file that hold its serial and lineage: they stand before all that is long."""
LONGEST_NAME = 1024
"""Characters of a workspace's name: as many bytes may an S3 key have, of which it is a part."""
CLOUD_BACKENDS = frozenset({"remote", "cloud"})


FileIdentity = tuple[int, int, int]
"""When a file was written, its size, and which it is."""
CACHE = os.sep + ".terragrunt-cache" + os.sep
COPIED = (".terragrunt-source-manifest", ".terragrunt-module-manifest")
"""What Terragrunt leaves in a directory into which it has copied a unit's configuration."""
UNIT = "TG_CTX_TERRAGRUNT_DIR"
PROJECT_ROOT = "TF_VAR_spacelift_project_root"


class WorkingDirectory:
    """A directory that terraform works in."""

    def __init__(self, directory: str, env: Mapping[str, str]) -> None:
        self.directory, self.env = directory, env

    @property
    def data_dir(self) -> str:
        """`.terraform`, or where TF_DATA_DIR says."""
        return os.path.join(self.directory, self.env.get("TF_DATA_DIR") or ".terraform")

    @property
    def tf_workspace(self) -> str:
        """The selected workspace."""
        chosen = self.env.get("TF_WORKSPACE") or self._read("environment").strip()
        return keep_workspace(chosen or "default")

    @property
    def lacks_plugins(self) -> bool:
        """Whether providers are locked, and none was ever installed."""
        locked = os.path.exists(os.path.join(self.directory, LOCK_FILE))
        return locked and not os.path.isdir(os.path.join(self.data_dir, "providers"))

    @property
    def in_cloud(self) -> bool:
        """Backend `remote` or `cloud`: only the type is looked at, credentials stand beside it."""
        text = self._read("terraform.tfstate")
        return bool(text) and backend_type(text) in CLOUD_BACKENDS

    @property
    def has_backend(self) -> bool:
        """Whether a backend was initialised here; a local one that nobody declared never is."""
        return backend_type(self._read("terraform.tfstate")) is not None

    def read_state_identity(self) -> tuple[int | None, str | None] | None:
        """Serial and lineage of the state where it is a file here; None where it is not.

        At once, while `state pull` would come too late: terraform may have written by then.
        """
        path = self._state_file()
        if path is None:
            return None
        try:
            with files.open_untrusted(path) as file:
                head = file.read(HEAD)
        except OSError as error:
            return (None, None) if isinstance(error, FileNotFoundError) else None
        return _parse_identity(head) or (None if head.strip() else (None, None))

    def read_written_state(self, since: float) -> bytes | None:
        """The state where it is a file here and was written since; None where it is not.

        Of Terraform this is what `state pull` prints: the file and one more newline.
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
        """The state of that serial and lineage, where it is a file here, or the backup that
        terraform makes of it before it writes the first time.
        """
        path = self._state_file()
        for candidate in (path, f"{path}.backup") if path else ():
            with suppress(OSError), files.open_untrusted(candidate) as file:
                data = file.read()
                whole = data.rstrip().endswith(b"}")  # terraform may be writing it anew
                if whole and _parse_identity(data[:HEAD]) == identity:
                    return data
        return None

    def _state_file(self) -> str | None:
        """Where the local backend keeps the state (backend/local, statePathFor); None where it is
        elsewhere, or where nobody could have written what is said of the place."""
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
        try:
            path = os.path.join(self.data_dir, name)
            return files.read_untrusted(path, 1 << 20, root=self.data_dir).decode(errors="replace")
        except OSError:
            return ""


def keep_workspace(name: str) -> str:
    """A workspace's name as it can be kept and sent: `?` for what is no character, and cut where it
    is longer than any backend's."""
    return name.encode(errors="replace").decode()[:LONGEST_NAME]


def find_unit_directory(directory: str, env: Mapping[str, str], *, hooked: bool = False) -> str:
    """The directory as the team knows it: the unit's, where terraform works in Terragrunt's copy.

    Terragrunt's own variable is there in its hooks only. It counts in such a copy, wherever its
    cache is; and anywhere if `hooked`, for the hook that asks is the unit's.
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
    """The top of a checkout that a host has copied without its git; None where none says so.

    Spacelift names the part of it that is the stack's.
    https://docs.spacelift.io/concepts/configuration/environment#environment-variables
    """
    part = os.path.normpath(env.get(PROJECT_ROOT) or ".")
    real = os.path.realpath(directory)
    here = part != "." and real.endswith(os.path.join(os.sep, part))
    return real[: -len(part)].rstrip(os.sep) or os.sep if here else None


def _join(directory: str, parts: Sequence[object]) -> str | None:
    """The path of these parts; None where they are no texts, or no file can have that name."""
    names = [part for part in parts if isinstance(part, str)]
    path = os.path.join(directory, *names)
    try:
        named = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return None
    return path if named and len(names) == len(parts) else None


def _parse_identity(head: bytes) -> Identity | None:
    """Serial and lineage of a state file, by its first bytes."""
    serial, lineage = re.search(SERIAL, head), re.search(LINEAGE, head)
    if not (serial and lineage):
        return None
    return int(serial[1]), lineage[1].decode(errors="replace")


def file_identity(path: str) -> FileIdentity | None:
    """What tells a file from what it was before it was written anew; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def backend_type(text: str) -> str | None:
    """The backend's type in `.terraform/terraform.tfstate`."""
    kind = _backend(text).get("type")
    return kind if isinstance(kind, str) else None


def _backend(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    try:
        backend = json.loads(text)["backend"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return backend if isinstance(backend, dict) else {}
