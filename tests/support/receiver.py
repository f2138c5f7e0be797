"""Runs `tfevents receive` on a free port."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from support.engines import clean_env
from support.warm import PROGRAM

KEY = "pat.acct.token.s3cr3tofthekey"
HEADERS = {"x-api-key": KEY, "Harness-Account": "acct"}


class Receiver:
    """The installed command with options; `url` is where it listens, `home` where it stores
    events."""

    def __init__(self, home: Path, *options: str, env: Mapping[str, str] = {}) -> None:
        self.home = home
        self._process = subprocess.Popen(
            [PROGRAM, "receive", "--port", "0", "--home", home, *options],
            env={**clean_env(home), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Receiver:
        assert self._process.stdout
        self.said = ""
        while "Ctrl-C" not in self.said:
            line = self._process.stdout.readline()
            assert line, "it has ended"
            self.said += line
        self.url = re.findall(r"https?://[0-9.]+:\d+", self.said)[0]
        self.http = httpx.Client(base_url=self.url, trust_env=False, headers=HEADERS, timeout=30)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()
        self.stop()

    @property
    def pid(self) -> int:
        """The ID of its process."""
        return self._process.pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stops the process by a signal; returns its exit code."""
        self._process.send_signal(number)
        self._process.communicate(timeout=30)
        return self._process.returncode

    def send(
        self,
        event: dict[str, Any],
        workspace: str = "prod",
        project: str = "infra",
        key: str = KEY,
    ) -> httpx.Response:
        """Sends one event."""
        place = f"/iacm/api/orgs/default/projects/{project}/workspaces/{quote(workspace, safe='')}"
        headers = {"Content-Type": "application/json", "x-api-key": key}
        return self.http.post(f"{place}/events", content=json.dumps(event), headers=headers)

    def kill(self) -> None:
        """Kills the process by SIGKILL."""
        self._process.kill()
        self._process.communicate(timeout=30)

    def list_activities(self, project: str = "infra", **query: Any) -> httpx.Response:
        """Lists activities through the public API."""
        path = f"/iacm/api/orgs/default/projects/{project}/activities"
        return self.http.get(path, params=query)
