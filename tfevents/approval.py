"""Terraform's own question before an apply, byte for byte (semantics §4.2).

Texts: internal/backend/local/backend_apply.go, internal/command/ui_input.go and
internal/command/format/diagnostic.go of hashicorp/terraform v1.11.4; OpenTofu has the same with
its own name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum

from tfevents.plan import Mode
from tfevents.signals import Interrupted, Watch

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

    def interruption(self) -> str:
        """What is said on stdout when a signal comes instead of an answer."""
        return (
            "\nInterrupt received.\n"
            f"Please wait for {self.product} to exit or data loss may occur.\n"
            "Gracefully shutting down...\n\n"
        )

    def error(self, approval: Approval) -> str:
        """What is said on stderr when there is no answer."""
        reason = "EOF" if approval is Approval.EOF else self._interrupted()
        return diagnostic(f"error asking for approval: {reason}", color=self.color)

    def _interrupted(self) -> str:
        return "interrupted: context canceled" if self.product == "OpenTofu" else "interrupted"


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
    _write(1, question.text())
    try:
        answer = _read_answer(watch)
    except Interrupted:
        _write(1, question.interruption())
        _write(2, question.error(Approval.INTERRUPTED))
        return Approval.INTERRUPTED
    if answer is None:
        _write(2, question.error(Approval.EOF))
        return Approval.EOF
    _write(1, "\n")
    if answer == "yes":
        return Approval.APPROVED
    _write(1, question.cancelled())
    return Approval.DECLINED


def _read_answer(watch: Watch) -> str | None:
    """One line without its spaces, byte by byte: what is behind it belongs to the apply.

    None at the end of input, also behind half a line (terraform wants its newline).
    """
    line = bytearray()
    watch.asking = True
    try:
        if watch.interrupted:
            raise Interrupted
        while byte := os.read(0, 1):
            if byte == b"\n":
                return line.decode(errors="replace").strip()
            line += byte
    except OSError:
        pass  # stdin is closed
    finally:
        watch.asking = False
    return None


def _write(descriptor: int, text: str) -> None:
    """Unbuffered, since terraform writes to the same descriptors before and after us."""
    left = text.encode()
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        pass  # nobody reads: terraform would not stop for that either
