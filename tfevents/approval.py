"""Terraform's own question before an apply, byte for byte (semantics §4.2).

Texts: internal/backend/local/backend_apply.go, internal/command/ui_input.go and
internal/command/format/diagnostic.go of hashicorp/terraform v1.11.4; OpenTofu has the same with
its own name.
"""

from __future__ import annotations

import os
from _signal import SIGINT  # `signal` is slow to wake

from tfevents.lean import Enum, suppress
from tfevents.plan import Mode
from tfevents.record import dataclass
from tfevents.signals import DEADLY, Interrupted, Watch

SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""Go's unicode.IsSpace, which is not Python's."""
RESET, BOLD, RED = "\x1b[0m", "\x1b[1m", "\x1b[31m"


class Approval(str, Enum):
    """How a question ended; the values are what `data.approval` says."""

    APPROVED = "approved"
    DECLINED = "declined"
    EOF = "eof"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Question:
    """What terraform asks: it depends on the mode, the workspace and the tool's own name."""

    mode: Mode
    tf_workspace: str
    product: str
    color: bool

    def text(self) -> str:
        """Everything up to where the answer is typed."""
        question, explanation = _WORDS[self.mode]
        question = question.format(tool=self.product, where=self._where())
        lines = [f"  {line.format(tool=self.product)}\n" for line in explanation]
        bold, reset = (BOLD, RESET) if self.color else ("", "")
        return (
            f"{reset}{bold}\n{question}{reset}\n{''.join(lines)}\n"
            f"  {bold}Enter a value:{reset} {reset}"
        )

    def _where(self) -> str:
        if self.tf_workspace == "default":
            return ""
        preposition = "for" if self.mode is Mode.REFRESH_ONLY else "in workspace"
        return f' {preposition} "{self.tf_workspace}"'

    def cancelled(self) -> str:
        """What is said on stdout when the answer is anything but yes."""
        destroys = self.mode is Mode.DESTROY
        return f"{'Destroy' if destroys else 'Apply'} cancelled.\n"

    def interruption(self, number: int) -> str:
        """What is said on stdout when a signal comes instead of an answer.

        Terraform's two voices speak at once: of the orders that it has, its usual one.
        """
        said = (
            "\nInterrupt received.\n"
            f"Please wait for {self.product} to exit or data loss may occur.\n"
            "Gracefully shutting down...\n\n"
        )
        return f"\n{said}" if number == SIGINT else f"{said}\n"

    def error(self, reason: str) -> str:
        """What is said on stderr when there is no answer."""
        return diagnostic(f"error asking for approval: {reason}", color=self.color)

    def interrupted(self, number: int) -> str:
        """The reason to have no answer: input listens to Ctrl-C, and its context to the rest."""
        cancelled = "context canceled"
        if number != SIGINT:
            return cancelled
        return f"interrupted: {cancelled}" if self.product == "OpenTofu" else "interrupted"


_UNDO = "There is no undo. Only 'yes' will be accepted to confirm."
_WORDS = {
    Mode.NORMAL: (
        "Do you want to perform these actions{where}?",
        (
            "{tool} will perform the actions described above.",
            "Only 'yes' will be accepted to approve.",
        ),
    ),
    Mode.DESTROY: (
        "Do you really want to destroy all resources{where}?",
        (
            "{tool} will destroy all your managed infrastructure, as shown above.",
            _UNDO,
        ),
    ),
    Mode.REFRESH_ONLY: (
        "Would you like to update the {tool} state{where} to reflect these detected changes?",
        (
            "{tool} will write these changes to the state without modifying any real"
            " infrastructure.",
            _UNDO,
        ),
    ),
}


def diagnostic(summary: str, *, color: bool) -> str:
    """An error without detail, in terraform's box, or without one where there is no colour."""
    if not color:
        return f"\nError: {summary}\n\n"
    bar = f"{RED}│{RESET} {RESET}"
    return (
        f"{RED}╷{RESET}{RESET}\n"
        f"{bar}{BOLD}{RED}Error: {RESET}{RESET}{BOLD}{summary}{RESET}\n"
        f"{bar}\n{bar}{RESET}\n{RED}╵{RESET}{RESET}\n"
    )


def ask(question: Question, watch: Watch) -> Approval:
    """Puts the question on our terminal (or pipe), as terraform would."""
    try:
        _write(1, question.text())
        answer = _read_answer(watch)
    except OSError as error:  # what nobody saw has no answer
        return _fail(question, f"write /dev/stdout: {(error.strerror or '').lower()}")
    except Interrupted as signalled:
        return _interrupt(question, signalled.number)
    if answer is None:
        return _fail(question, "EOF")
    say(1, "\n")
    if answer == "yes":
        return Approval.APPROVED
    say(1, question.cancelled())
    return Approval.DECLINED


def _fail(question: Question, reason: str) -> Approval:
    say(2, question.error(reason))
    return Approval.EOF


def _interrupt(question: Question, number: int) -> Approval:
    if number not in DEADLY:
        say(1, question.interruption(number))
        say(2, question.error(question.interrupted(number)))
    return Approval.INTERRUPTED


def _read_answer(watch: Watch) -> str | None:
    """One line less the spaces at its end, byte by byte: what is behind it is not for us.

    None at the end of input, also behind half a line (terraform wants its newline).
    """
    line = bytearray()
    watch.asking = True
    try:
        if watch.interrupted:
            raise Interrupted(watch.received[0])
        while byte := _read_byte(watch):
            if byte == b"\n":
                return line.decode(errors="replace").rstrip(SPACES)
            line += byte
    except OSError:
        pass  # stdin is closed
    finally:
        watch.asking = False
    return None


def _read_byte(watch: Watch) -> bytes:
    watch.wait_for(0)
    return os.read(0, 1)


def say(descriptor: int, text: str) -> None:
    """Unbuffered, since terraform writes to the same descriptors before and after us."""
    with suppress(OSError):  # nobody reads: terraform would not stop for that either
        _write(descriptor, text)


def _write(descriptor: int, text: str) -> None:
    left = text.encode()
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # whoever started us made it so
            import select

            select.select([], [descriptor], [])
