"""A PostgreSQL for a test: the machine's programs, a new directory, reached by a socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

import pytest

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian's package keeps each version's programs."""


def find_programs() -> Path | None:
    """The directory of `initdb` and `postgres`; None if they are not installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(DEBIAN.glob("*/bin"), default=None, key=lambda place: int(place.parent.name))


class Postgres:
    """A server that runs while its context lasts; it can be stopped and started again. `url`: its
    database's."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: commits survive a crash of the machine, which tests do not need."""
        programs = find_programs()
        if programs is None:
            pytest.skip("there is no PostgreSQL (Debian's package: postgresql)")
        self._programs = programs
        self._fsync = "fsync=on" if durable else "fsync=off"
        self._root = Path(tempfile.mkdtemp(prefix="tfevents-postgres-"))
        self.url = f"postgresql://relay@/postgres?host={self._root}"
        # PostgreSQL refuses to run as root
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._root, self._user)

    def __enter__(self) -> Postgres:
        words = ["--username", "relay", "--auth", "trust", "--no-sync", "--pgdata"]
        subprocess.run(
            [self._programs / "initdb", *words, self._root / "data"],
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            check=True,
        )
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._root)

    def start(self) -> None:
        """Starts the server, and returns when it answers."""
        settings = ("listen_addresses=", f"unix_socket_directories={self._root}", self._fsync)
        flags = [word for setting in settings for word in ("-c", setting)]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._root / "data", *flags],
            user=self._user,
            cwd="/",
            stderr=subprocess.DEVNULL,
        )
        ready = str(self._programs / "pg_isready")
        while subprocess.run([ready, "--quiet", "--host", self._root], check=False).returncode:
            assert self._process.poll() is None, "it has ended"

    def stop(self) -> None:
        """Stops the server at once, even with clients connected."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
