"""Runs the provisioner for our own queries (version, plan as JSON, state) without showing
output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from signal import SIGKILL
from subprocess import DEVNULL, PIPE, Popen
from threading import Event, Thread
from typing import IO, TypeVar

from msgspec import Struct

from tfevents.deadline import Deadline
from tfevents.errors import UnreadableDocument
from tfevents.terraform.arguments import is_inherited
from tfevents.terraform.binary import SECRETS, find_unwrapped

T = TypeVar("T")
Child = Popen[bytes]
Read = Callable[[int], bytes]
"""Reads the next bytes of an output: at most as many as given, all of them for -1."""

SHOW_SECONDS, OTHER_SECONDS = 900.0, 60.0
POLL_SECONDS = 0.05
"""Seconds between two checks of the deadline, which a signal may bring forward."""
RESERVED = 0.5
"""Seconds of the deadline that are kept for delivering the event; no query may use them."""
LOGGING = ("TF_CLI_ARGS", "TF_LOG", "TF_TEMP_LOG_PATH")
"""The beginnings of the names of variables that our queries do not inherit."""


class Version(Struct, frozen=True):
    """`product`: Terraform or OpenTofu, as the tool calls itself. `number`: like 1.11.4."""

    product: str
    number: str

    @property
    def provisioner(self) -> str:
        """The provisioner's name in the contract: `opentofu` or `terraform`."""
        return "opentofu" if self.product == "OpenTofu" else "terraform"

    def metadata(self) -> dict[str, str]:
        """The contract's provisioner fields."""
        return {"provisioner": self.provisioner, "provisioner_version": self.number}

    def is_at_least(self, major: int, minor: int) -> bool:
        """Whether this is version `major.minor` or later; a part that is no number counts as -1."""
        numbers = [int(part) if part.isdigit() else -1 for part in self.number.split(".")[:2]]
        return numbers >= [major, minor]


class TerraformClient(Struct, frozen=True):
    """Runs queries with the same binary, directory and environment as the run.

    TF_CLI_ARGS* is not passed on: it is meant for the user's command, and `show` fails on it. Each
    query runs in a session of its own, so that the terminal's Ctrl-C, which is meant for terraform,
    does not reach it. `deadline`: that of the whole report once the run has ended; None for no
    limit but each query's own.
    """

    path: str
    options: tuple[str, ...]
    env: Mapping[str, str]
    deadline: Deadline | None = None

    def __repr__(self) -> str:
        """Omits the environment, which holds secrets."""
        return f"TerraformClient({self.path!r}, {self.options!r})"

    def run(self, arguments: Sequence[str], seconds: float) -> bytes | None:
        """The stdout of one query; None if it failed, could not be started or took too long."""
        return self.stream(arguments, seconds, _read_whole)

    def _start(self, arguments: Sequence[str], stdout: IO[bytes] | None = None) -> Child | None:
        """Starts one query in a session of its own; None if it can't be started."""
        try:
            with _pass_inherited(arguments, self.env) as (words, descriptors):
                return Popen(
                    [find_unwrapped(self.path, self.env), *self.options, *words],
                    env=self._environment(),
                    stdin=DEVNULL,
                    stdout=stdout or PIPE,
                    stderr=DEVNULL,
                    start_new_session=True,
                    pass_fds=descriptors,
                )
        except OSError:
            return None

    def save(self, arguments: Sequence[str], path: str, seconds: float) -> bool:
        """As `run`, but writes stdout to the file `path`; returns whether the query succeeded."""
        try:
            with open(path, "wb") as file:
                child = self._start(arguments, file)
        except OSError:
            return False
        if child is None:
            return False
        with self._kill_after(seconds, child):
            return child.wait() == 0

    def _environment(self) -> dict[str, str]:
        """The run's environment without secrets, `LOGGING` and terraform's update check."""
        env = {name: value for name, value in self.env.items() if not name.startswith(LOGGING)}
        kept = {name: value for name, value in env.items() if name not in SECRETS}
        return {**kept, "CHECKPOINT_DISABLE": "1"}

    def find_version(self) -> Version | None:
        """The version that `version` prints ("OpenTofu v1.6.2"); None if it prints none.

        Other lines are skipped: a version manager may print some before it.
        """
        answer = (self.run(["version"], OTHER_SECONDS) or b"").decode(errors="replace")
        for line in answer.splitlines():
            product, _, number = line.partition(" v")
            if product in ("Terraform", "OpenTofu"):
                return Version(product, number.strip())
        return None

    def show(self, plan_file: str, parse: Callable[[Read], T]) -> T | None:
        """What `parse` makes of `show -json` of a saved plan; None if the plan can't be shown.

        `parse` reads the output while it is written, since it holds values and may be large. Raises
        what `parse` raises.
        """
        return self.stream(["show", "-json", plan_file], SHOW_SECONDS, parse)

    def stream(
        self, arguments: Sequence[str], seconds: float, parse: Callable[[Read], T]
    ) -> T | None:
        """As `run`, but `parse` reads stdout while it is written, and its result is returned.

        An UnreadableDocument that `parse` raises is only raised if the query itself succeeded.
        """
        child = self._start(arguments)
        if child is None or child.stdout is None:
            return None
        with self._kill_after(seconds, child):
            found, wrong = _call_parser(parse, child.stdout)
            child.wait()
        if child.returncode == 0 and wrong is not None:
            raise wrong
        return found if child.returncode == 0 else None

    @contextmanager
    def _kill_after(self, seconds: float, child: Child) -> Iterator[None]:
        """Kills the child process after `seconds`, or once only `RESERVED` of the deadline is
        left."""
        budget, over = Deadline(seconds), Event()

        def watch() -> None:
            while not over.wait(POLL_SECONDS):
                late = self.deadline is not None and self.deadline.seconds_left <= RESERVED
                if late or not budget.seconds_left:
                    return _stop(child.pid)

        Thread(target=watch, name="deadline", daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def pull_state(self) -> bytes | None:
        """The state as stored; empty if there is none, None if it can't be pulled.

        Warnings that OpenTofu may print before the state are removed.
        """
        answer = self.run(["state", "pull"], OTHER_SECONDS)
        if answer is None or answer.startswith(b"{") or not answer.strip():
            return answer
        _, begins, state = answer.partition(b"\n{")
        return b"{" + state if begins else None


@contextmanager
def _pass_inherited(
    arguments: Sequence[str], env: Mapping[str, str]
) -> Iterator[tuple[list[str], list[int]]]:
    """The arguments, and the file descriptors to pass to the child process.

    A file that TF_CLI_ARGS* names is passed as an open descriptor (/dev/fd/N): every user of the
    machine can read a command line. Closes the descriptors at the end. Raises OSError.
    """
    words, descriptors = [*arguments], list[int]()
    try:
        for at, word in enumerate(arguments):
            if os.path.isabs(word) and os.path.isfile(word) and is_inherited(word, env):
                descriptors.append(os.open(word, os.O_RDONLY))
                words[at] = f"/dev/fd/{descriptors[-1]}"
        yield words, descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _call_parser(
    parse: Callable[[Read], T], stdout: IO[bytes]
) -> tuple[T | None, UnreadableDocument | None]:
    """What `parse` makes of stdout, or the error that it raises. After an error the rest of stdout
    is read, so that the child process can end."""
    with stdout:
        try:
            return parse(stdout.read), None
        except UnreadableDocument as error:
            while stdout.read(1 << 20):
                pass
            return None, error


def _read_whole(read: Read) -> bytes:
    return read(-1)


def _stop(pid: int) -> None:
    """Kills the child process and all processes of its group."""
    with suppress(OSError):
        os.killpg(pid, SIGKILL)
