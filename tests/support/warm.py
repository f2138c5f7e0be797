"""Runs `tfevents` without its start-up: each command is a fork of a process that has all imported.

This takes a tenth of the time, and each command still is a process of its own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from support.paths import TESTS

SECONDS = 60.0
PROGRAM = Path(sys.executable).with_name("tfevents")


def run_tfevents(
    words: Sequence[object], *, env: Mapping[str, str], cwd: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs one command to its end; the result has its output."""
    command = [str(PROGRAM), *map(str, words)]
    with _pipe_of(stdin) as given, TemporaryFile() as out, TemporaryFile() as err:
        code = _warm().run(command, env=env, cwd=cwd, streams=(given, out, err))
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def read_log(env: Mapping[str, str]) -> dict[str, Any]:
    """The parsed output of `tfevents log --json`."""
    done = run_tfevents(["log", "--json"], env=env, cwd=TESTS)
    assert done.returncode == 0, done
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def _pipe_of(content: bytes) -> Iterator[IO[bytes]]:
    reader, writer = os.pipe()
    thread = threading.Thread(target=_write, args=(writer, content))
    thread.start()
    with open(reader, "rb") as given:
        yield given
    thread.join()


def _write(writer: int, content: bytes) -> None:
    with suppress(BrokenPipeError), open(writer, "wb", buffering=0) as file:
        rest = memoryview(content)
        while rest:
            rest = rest[file.write(rest) :]


class Warm:
    """The process that forks; it ends when the other end of its channel is closed."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(SECONDS)
        self._one_at_a_time = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "support.warm", str(theirs.fileno())],
                cwd=TESTS,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._channel.close()
        self._process.wait()

    def run(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        streams: Sequence[IO[bytes]],
    ) -> int:
        """Runs a command; returns its exit code. `streams`: its stdin, stdout and stderr."""
        request = json.dumps({"argv": list(words), "env": dict(env), "cwd": str(cwd)})
        with self._one_at_a_time:
            descriptors = [stream.fileno() for stream in streams]
            socket.send_fds(self._channel, [request.encode() + b"\n"], descriptors)
            return int(_read_line(self._channel))


@cache
def _warm() -> Warm:
    """The forking process of this test process."""
    return Warm()


def _read_line(channel: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        if not (piece := channel.recv(65536)):
            raise EOFError
        line += piece
    return line


def serve(channel: socket.socket) -> None:
    """Forks for each request and sends the exit code back; returns in each fork, made ready for its
    command."""
    while True:
        start, descriptors, _, _ = socket.recv_fds(channel, 65536, 3)
        if not start:
            os._exit(0)
        request = json.loads(start if start.endswith(b"\n") else start + _read_line(channel))
        if (child := os.fork()) == 0:
            channel.close()
            return become(request["argv"], request["env"], request["cwd"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _, status = os.waitpid(child, 0)
        channel.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def become(argv: list[str], env: dict[str, str], cwd: str, descriptors: Sequence[int]) -> None:
    """Gives this process the arguments, environment, working directory and streams of a new
    program."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = argv


if __name__ == "__main__":
    import tfevents
    from tfevents.cli.main import main

    for module in pkgutil.walk_packages(tfevents.__path__, "tfevents."):
        import_module(module.name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a regular exit would take apart all imports, longer than most commands take
