"""Parses the core log (TF_LOG_CORE) of a run into an ApplyLog, which says what its apply did.

The messages are the same in Terraform from 1.5 to 1.17-dev and in OpenTofu from 1.6 to 1.13-dev
(checked in the sources of each, and by running them): internal/terraform/node_resource_*.go,
context_apply.go, internal/backend/local/backend_apply.go, internal/command/ui_input.go,
internal/states/statemgr.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tfevents.terraform.apply_log import ApplyLog, Failure, Move
from tfevents.terraform.arguments import Mode
from tfevents.terraform.state import NEVER_WRITTEN, ObjectKey, unescape_address

MAX_LINE_BYTES = 1 << 20
"""The most bytes of one line: a longer line matches no message here and is skipped."""

QUOTED = rb'"(?:[^"\\]|\\.)*"'
LINE = re.compile(
    rb"^\d{4}-\d\d-\d\dT[^ \n]+ \[[A-Z]+\] +(?:"
    rb"(?P<product>Terraform|OpenTofu) version: (?P<version>[0-9][\w.+-]*)"
    rb"|(?P<process>CLI args: )"
    rb"|backend/local: (?:apply|plan) calling (?P<calls>Plan|Apply)$"
    rb"|Building and walking plan graph for (?P<replans>\w+)$"
    rb"|Building and walking apply graph for (?P<graph>\w+) plan$"
    rb'|command: asking for input: "\\n(?P<asks>Do|Would) you '
    rb"|UIInput scan err: (?P<input_ends>EOF)$"
    rb"|(?P<begun>.+): applying the planned (?P<action>Create|Update|Delete) change$"
    rb"|vertex (?P<node>" + QUOTED + rb") error: (?P<error>.*)$"
    rb"|ProviderTransformer: (?P<forgets>" + QUOTED + rb") \(\*?\w+\.NodeForget\w*\)"
    rb"|For apply the action ForgetThenCreate was changed to Create for resource "
    rb"(?P<forgotten_and_created>.+)$"
    rb"|writeChange: recorded (?P<plans>\w+) change for (?P<planned>.+)$"
    rb"|writeChange: removing planned change for (?P<unplanned>.+)$"
    rb"|graphNodeImportState: import (?P<imports>.+) " + QUOTED + rb" produced instance object"
    rb"|refactoring\.ApplyMoves: (?P<kind>resource (?:instance )?)?(?P<moved>.+)"
    rb" has moved to (?P<to>.+)$"
    rb"|Skipped moving (?P<stays>.+) to .+, because there's already another "
    rb"|statemgr\.Filesystem: read (?P<snapshot>nil snapshot|snapshot with .*)$"
    rb"|.*: (?P<stops>Stop called, initiating interrupt sequence|stop complete)$"
    rb")",
    re.MULTILINE,
)
SNAPSHOT = re.compile(rb'lineage "([^"\\]*)" serial (\d{1,20})$')
UNMANAGED = re.compile(
    rb'(?:module\.[^.\[\]"\s]+(?:\[(?:\d+|' + QUOTED + rb")\])?\.)*(?:data|ephemeral|action)\."
)
"""Matches the start of a resource address that is not a managed resource's."""
NODE = re.compile(r"(.+?)(?: \((destroy|forget)(?: deposed ([0-9a-f]{8}))?\))?", re.DOTALL)
SUFFIX_PATTERNS = {None: r"\..*", b"resource ": r"(\[.*)?", b"resource instance ": ""}
"""By kind of move (None: a module's): what may follow the moved address in one that moves too."""
DEPOSED = re.compile(r"(.+) deposed object ([0-9a-f]{8})", re.DOTALL)
ESCAPES = re.compile(
    r'\\(?:(["\\abfnrtv])|x([0-9a-f]{2})|u([0-9a-f]{4})|U(00(?:0[0-9a-f]|10)[0-9a-f]{4}))'
)
ESCAPED = dict(zip('"\\abfnrtv', '"\\\a\b\f\n\r\t\v', strict=True))
MODES = {
    b"NormalMode": Mode.NORMAL,
    b"DestroyMode": Mode.DESTROY,
    b"RefreshOnlyMode": Mode.REFRESH_ONLY,
}
HALTED = "execution halted"
"""The error a stopped run logs for nodes it does not visit, and for some that it finished."""
POSTCONDITION_FAILED = "Resource postcondition failed"
"""The start of an error about an object that terraform has already created and counted."""


class CoreLogReader:
    """Parses a growing core log: `feed` takes its bytes, `log` is the result so far."""

    def __init__(self) -> None:
        self.log = ApplyLog()
        self._rest, self._skipping = b"", False
        self._handlers: dict[str, Callable[[re.Match[bytes]], None]] = {
            "version": self._record_version,
            "process": self._record_process,
            "calls": self._record_call,
            "replans": self._drop_earlier_plan,
            "graph": self._record_graph,
            "asks": self._record_question,
            "input_ends": self._record_end_of_input,
            "action": self._record_begun_change,
            "error": self._record_failure,
            "forgets": self._record_forget,
            "forgotten_and_created": self._record_forget_and_create,
            "planned": self._record_planned_change,
            "unplanned": self._drop_planned_change,
            "imports": self._record_import,
            "to": self._record_move,
            "stays": self._drop_move,
            "snapshot": self._record_snapshot,
            "stops": self._record_stop,
        }

    def feed(self, data: bytes) -> None:
        """Parses the next bytes of the log, which may end in the middle of a line."""
        whole, newline, rest = data.rpartition(b"\n")
        if not newline:
            return self._keep(self._rest + data)
        block, self._rest = self._rest + whole, b""
        if self._skipping:
            _, _, block = block.partition(b"\n")
            self._skipping = False
        for found in LINE.finditer(block):
            self._handlers[str(found.lastgroup)](found)
        self._keep(rest)

    def _keep(self, rest: bytes) -> None:
        """Keeps the start of an unfinished line; nothing of a line longer than MAX_LINE_BYTES."""
        self._skipping = self._skipping or len(rest) > MAX_LINE_BYTES
        self._rest = b"" if self._skipping else rest

    def _record_version(self, found: re.Match[bytes]) -> None:
        """Keeps the first version only: later ones are those of nested runs."""
        if not self.log.version:
            self.log.product = found["product"].decode()
            self.log.version = found["version"].decode()

    def _record_process(self, found: re.Match[bytes]) -> None:
        self.log.processes += 1

    def _record_call(self, found: re.Match[bytes]) -> None:
        if found["calls"] == b"Plan":
            self.log.plans += 1
        else:
            self.log.applies += 1

    def _drop_earlier_plan(self, found: re.Match[bytes]) -> None:
        """Drops what an earlier planning recorded.

        A destroy plans twice: first it refreshes, then it plans the deletions.
        """
        if not self.log.applied:
            self.log.planned.clear()
            self.log.imports.clear()

    def _record_graph(self, found: re.Match[bytes]) -> None:
        self.log.graphs += 1
        self.log.mode = MODES.get(found["graph"])

    def _record_question(self, found: re.Match[bytes]) -> None:
        self.log.asked = True

    def _record_end_of_input(self, found: re.Match[bytes]) -> None:
        self.log.input_ended = True

    def _record_begun_change(self, found: re.Match[bytes]) -> None:
        self.log.begun.append((_parse_address(found["begun"]), found["action"].decode()))

    def _record_failure(self, found: re.Match[bytes]) -> None:
        """Records failures of the apply only: a plan that failed has changed nothing."""
        error = found["error"].decode(errors="replace")
        if self.log.applied and error != HALTED:
            address, kind, deposed = _parse_node(found["node"])
            only_postcondition = error.startswith(POSTCONDITION_FAILED)
            self.log.failures.add(Failure(address, kind == "destroy", deposed, only_postcondition))

    def _record_forget(self, found: re.Match[bytes]) -> None:
        """Records forgets of the apply only: planning also builds the apply graph, to check it."""
        if self.log.applied:
            address, _, deposed = _parse_node(found["forgets"])
            self.log.forgets.add((address, deposed))

    def _record_forget_and_create(self, found: re.Match[bytes]) -> None:
        self.log.forgotten_and_created.add(_parse_address(found["forgotten_and_created"]))

    def _record_planned_change(self, found: re.Match[bytes]) -> None:
        if not (self.log.applied or UNMANAGED.match(found["planned"])):
            self.log.planned[_parse_object_key(found["planned"])] = found["plans"].decode()

    def _drop_planned_change(self, found: re.Match[bytes]) -> None:
        if not self.log.applied:
            self.log.planned.pop(_parse_object_key(found["unplanned"]), None)

    def _record_import(self, found: re.Match[bytes]) -> None:
        if not self.log.applied:
            self.log.imports.add(_parse_address(found["imports"]))

    def _record_move(self, found: re.Match[bytes]) -> None:
        if not self.log.applied:
            source, target = _parse_address(found["moved"]), _parse_address(found["to"])
            self.log.moves.append(Move(source, target, SUFFIX_PATTERNS[found["kind"]]))

    def _drop_move(self, found: re.Match[bytes]) -> None:
        """Drops the last move: terraform logs a move before it finds that the target is taken."""
        if not self.log.applied and self.log.moves:
            self.log.moves.pop()

    def _record_snapshot(self, found: re.Match[bytes]) -> None:
        """Keeps the snapshot read before planning: a later one may be a data source's state."""
        if not (self.log.planning or self.log.applied):
            match = SNAPSHOT.search(found["snapshot"])
            self.log.snapshot = (
                (int(match[2]), match[1].decode(errors="replace")) if match else NEVER_WRITTEN
            )

    def _record_stop(self, found: re.Match[bytes]) -> None:
        if found["stops"].startswith(b"Stop"):
            self.log.stopping, self.log.stopped = True, False
        else:
            self.log.stopped = True


def _parse_address(text: bytes) -> str:
    return unescape_address(text.decode(errors="replace"))


def _parse_node(quoted: bytes) -> tuple[str, str | None, str | None]:
    """The address, kind (`destroy`, `forget` or None) and deposed key (or None) in a node's name.

    `quoted` is the name as Go quotes it.
    """
    name = _unquote(quoted.decode(errors="replace"))
    found = NODE.fullmatch(name)
    address, kind, deposed = found.groups() if found else (name, None, None)
    return unescape_address(address), kind, deposed


def _parse_object_key(text: bytes) -> ObjectKey:
    name = text.decode(errors="replace")
    found = DEPOSED.fullmatch(name)
    return (unescape_address(found[1]), found[2]) if found else (unescape_address(name), None)


def _unquote(quoted: str) -> str:
    """The text that Go's strconv.Quote was given."""
    return ESCAPES.sub(_unescape, quoted[1:-1]) if "\\" in quoted else quoted[1:-1]


def _unescape(found: re.Match[str]) -> str:
    simple, *numbers = found.groups()
    return ESCAPED[simple] if simple else chr(int(next(filter(None, numbers)), 16))
