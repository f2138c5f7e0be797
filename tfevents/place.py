"""What terraform's own files say about a directory, without asking terraform."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

CLOUD_BACKENDS = frozenset({"remote", "cloud"})


@dataclass(frozen=True)
class Place:
    """A directory that terraform works in."""

    directory: str
    env: Mapping[str, str] = field(repr=False)

    @property
    def data(self) -> str:
        """`.terraform`, or where TF_DATA_DIR says."""
        return os.path.join(self.directory, self.env.get("TF_DATA_DIR") or ".terraform")

    @property
    def tf_workspace(self) -> str:
        """The selected workspace (semantics §4.5)."""
        return self.env.get("TF_WORKSPACE") or self._read("environment").strip() or "default"

    @property
    def in_cloud(self) -> bool:
        """Backend `remote` or `cloud`: only the type is looked at, credentials stand beside it."""
        text = self._read("terraform.tfstate")
        return bool(text) and backend_type(text) in CLOUD_BACKENDS

    @property
    def configured(self) -> bool:
        """Whether there is any configuration: without, terraform says so in its own words."""
        try:
            names = os.listdir(self.directory)
        except OSError:
            return False
        return any(name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json")) for name in names)

    def _read(self, name: str) -> str:
        try:
            with open(os.path.join(self.data, name), encoding="utf-8", errors="replace") as file:
                return file.read(1 << 20)
        except OSError:
            return ""


def backend_type(text: str) -> str | None:
    """The backend's type in `.terraform/terraform.tfstate`."""
    try:
        document = json.loads(text)
        kind = document["backend"]["type"]
    except (ValueError, KeyError, TypeError):
        return None
    return kind if isinstance(kind, str) else None
