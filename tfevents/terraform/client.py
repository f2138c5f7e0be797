"""Asking the provisioner: its version, a plan as JSON, the state. Nothing of it is ever shown."""

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
"""The next bytes of an answer, at most so many; -1 is all."""

SHOW_SECONDS, OTHER_SECONDS = 900.0, 60.0
LOOK_SECONDS = 0.05
"""Between two looks at the deadline, which a signal brings nearer."""
RESERVED = 0.5
"""Seconds of the deadline that nobody who is asked may take: the event is to be delivered."""
LOGGING = ("TF_CLI_ARGS", "TF_LOG", "TF_TEMP_LOG_PATH")


class Version(Struct, frozen=True):
    """`product` is Terraform or OpenTofu, as the tool calls itself; `number` like 1.11.4."""

    product: str
    number: str

    @property
    def provisioner(self) -> str:
        """The contract's name."""
        return "opentofu" if self.product == "OpenTofu" else "terraform"

    def least(self, major: int, minor: int) -> bool:
        """Whether it is at least this; a number that can't be read is not."""
        numbers = [int(part) if part.isdigit() else -1 for part in self.number.split(".")[:2]]
        return numbers >= [major, minor]


class TerraformClient(Struct, frozen=True):
    """The same binary, directory and environment as the run's, asked on our own account.

    TF_CLI_ARGS* is for what the user typed: `show` fails on it. Sessions of
    their own keep the terminal's Ctrl-C, which is terraform's, from our questions. `deadline`: of
    the whole report, when the run is over.
    """

    path: str
    options: tuple[str, ...]
    env: Mapping[str, str]
    deadline: Deadline | None = None

    def __repr__(self) -> str:
        """Without the environment, which holds secrets."""
        return f"TerraformClient({self.path!r}, {self.options!r})"

    def run(self, arguments: Sequence[str], seconds: float) -> bytes | None:
        """stdout of one call; None if it failed, could not be started or took too long."""
        return self.stream(arguments, seconds, _read_whole)

    def _start(self, arguments: Sequence[str], stdout: IO[bytes] | None = None) -> Child | None:
        """One call in a session of its own; None where it can't be started."""
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
        """As `run`, but stdout goes to a file."""
        try:
            with open(path, "wb") as file:
                child = self._start(arguments, file)
        except OSError:
            return False
        if child is None:
            return False
        with self._within(seconds, child):
            return child.wait() == 0

    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in self.env.items() if not name.startswith(LOGGING)}
        kept = {name: value for name, value in env.items() if name not in SECRETS}
        return {**kept, "CHECKPOINT_DISABLE": "1"}

    def find_version(self) -> Version | None:
        """What `version` says of itself ("OpenTofu v1.6.2"); a version manager may talk before."""
        answer = (self.run(["version"], OTHER_SECONDS) or b"").decode(errors="replace")
        for line in answer.splitlines():
            product, _, number = line.partition(" v")
            if product in ("Terraform", "OpenTofu"):
                return Version(product, number.strip())
        return None

    def show(self, plan_file: str, take: Callable[[Read], T]) -> T | None:
        """What `take` makes of `show -json` of a saved plan, as it comes: it has values, and may
        be large. None where it can't be shown. Raises what `take` raises.
        """
        return self.stream(["show", "-json", plan_file], SHOW_SECONDS, take)

    def stream(
        self, arguments: Sequence[str], seconds: float, take: Callable[[Read], T]
    ) -> T | None:
        """As `run`, but stdout is read by `take` while it is written."""
        child = self._start(arguments)
        if child is None or child.stdout is None:
            return None
        with self._within(seconds, child):
            found, wrong = _attempt(take, child.stdout)
            child.wait()
        if child.returncode == 0 and wrong is not None:
            raise wrong
        return found if child.returncode == 0 else None

    @contextmanager
    def _within(self, seconds: float, child: Child) -> Iterator[None]:
        """The child has that long, and never longer than the deadline."""
        budget, over = Deadline(seconds), Event()

        def watch() -> None:
            while not over.wait(LOOK_SECONDS):
                late = self.deadline is not None and self.deadline.left <= RESERVED
                if late or not budget.left:
                    return _stop(child.pid)

        Thread(target=watch, name="deadline", daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def pull_state(self) -> bytes | None:
        """The state as stored; empty where there is none. OpenTofu may warn before it."""
        answer = self.run(["state", "pull"], OTHER_SECONDS)
        if answer is None or answer.startswith(b"{") or not answer.strip():
            return answer
        _, begins, state = answer.partition(b"\n{")
        return b"{" + state if begins else None


@contextmanager
def _pass_inherited(
    arguments: Sequence[str], env: Mapping[str, str]
) -> Iterator[tuple[list[str], list[int]]]:
    """The arguments, and the descriptors to pass: a file that TF_CLI_ARGS* names is passed open,
    for an argv is everybody's to read. Raises OSError."""
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


def _attempt(
    take: Callable[[Read], T], stdout: IO[bytes]
) -> tuple[T | None, UnreadableDocument | None]:
    """What `take` makes of it, or why it can't; either way it is read to its end."""
    with stdout:
        try:
            return take(stdout.read), None
        except UnreadableDocument as error:
            while stdout.read(1 << 20):
                pass
            return None, error


def _read_whole(read: Read) -> bytes:
    return read(-1)


def _stop(pid: int) -> None:
    """It and all that it has started."""
    with suppress(OSError):
        os.killpg(pid, SIGKILL)
