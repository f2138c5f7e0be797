"""Parses the protobuf messages of `tfplan`, the plan in a plan file, for each tool and version.

Field numbers are those of `planfile.proto` (`internal/plans/planproto/` in hashicorp/terraform, in
1.6 and in opentofu/opentofu `internal/plans/internal/planproto/`), checked at every minor version
from `first` to `last`. How they become JSON: `internal/command/jsonplan/plan.go`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import IO, Any

from msgspec import Struct, field

from tfevents.errors import UnreadableDocument
from tfevents.readers.planfile import cty, wire_format
from tfevents.readers.planfile.wire_format import ANY, Message, Schema, make_schema
from tfevents.terraform.arguments import Mode
from tfevents.terraform.plan import UPDATE, Change, Drift, OutputChange
from tfevents.terraform.values import digest_value, drop_empty

FORMAT = 3
"""tfplanFormatVersion in `internal/plans/planfile/tfplan.go`: since Terraform 1.0, all OpenTofu."""

# message Plan
FORMAT_VERSION, CHANGES, OUTPUTS, TARGETS, EXCLUDES, BACKEND, VERSION = 1, 3, 4, 5, 6, 13, 14
MODE, DRIFT, ERRORED, APPLYABLE, COMPLETE, INVOKES = 17, 18, 20, 25, 26, 32
# variables, relevant_attributes, force_replace_addrs, check_results, timestamp; 22 is
# function_results (Terraform 1.8) or ephemeral_variables (OpenTofu 1.11)
SKIPPED = dict.fromkeys((2, 15, 16, 19, 21, 22), ANY)
# deferred_changes, apply_time_variables, action_invocations, deferred_action_invocations; but not
# state_store (29): we have seen no plan with it
SKIPPED_IN_TERRAFORM = dict.fromkeys((27, 28, 30, 31), ANY)
ONCE = {BACKEND: 1, VERSION: 1}

MODES = {0: Mode.NORMAL, 1: Mode.DESTROY, 2: Mode.REFRESH_ONLY}

BACKEND_TYPE, WORKSPACE = 1, 3
BACKEND_SCHEMA = make_schema("backend", strings={BACKEND_TYPE: 1, WORKSPACE: 1, 2: ANY})

# message ResourceInstanceChange; not needed: provider (8), private (10), required_replace (11)
DEPOSED, CHANGE, REASON, ADDRESS, PREVIOUS_ADDRESS = 7, 9, 12, 13, 14
RESOURCE_SCHEMA = make_schema(
    "resource change",
    numbers={REASON},
    strings={DEPOSED: 1, CHANGE: 1, ADDRESS: 1, PREVIOUS_ADDRESS: 1, 8: ANY, 10: ANY, 11: ANY},
)
REASONS = range(17)

# message OutputChange; not needed: `sensitive` (3)
OUTPUT_NAME, OUTPUT_CHANGE = 1, 2
OUTPUT_SCHEMA = make_schema(
    "output change", numbers={3}, strings={OUTPUT_NAME: 1, OUTPUT_CHANGE: 1}
)

# message Change; not needed: sensitive paths (3, 4), generated_config (6), identities (7, 8)
ACTION, VALUES, IMPORTING = 1, 2, 5
CHANGE_SCHEMA = make_schema(
    "change",
    numbers={ACTION},
    strings={VALUES: 2, IMPORTING: 1, 3: ANY, 4: ANY, 6: ANY, 7: ANY, 8: ANY},
)

# message DynamicValue
MSGPACK = 1
VALUE_SCHEMA = make_schema("value", strings={MSGPACK: 1})

NAME, KEY = r'[^.\[\]"\s]+', r'(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?'
INSTANCE = re.compile(rf"(?:module\.{NAME}{KEY}\.)*(?:(data)\.)?{NAME}\.{NAME}{KEY}")
"""The address of a resource instance, as terraform writes it."""


class Action(Struct, frozen=True):
    """An action: its names in JSON, and the indexes of its values before and after (None: none)."""

    names: frozenset[str]
    before: int | None
    after: int | None

    @property
    def values(self) -> int:
        """How many values are stored in a change with this action."""
        return 1 if self.before is None or self.after is None else self.after + 1


def _make_action(*names: str, before: int | None = 0, after: int | None = 1) -> Action:
    return Action(frozenset(names), before, after)


ACTIONS = {  # enum Action; for the order of the values see changeFromTfplan in tfplan.go
    0: _make_action("no-op", after=0),
    1: _make_action("create", before=None, after=0),
    2: _make_action("read"),
    3: _make_action("update"),
    5: _make_action("delete", after=None),
    6: _make_action("delete", "create"),
    7: _make_action("create", "delete"),
    8: _make_action("forget", after=None),
}


class Tool(Struct, frozen=True):
    """A tool that writes plan files: its verified versions, and the fields and actions it writes.

    `first` and `last` are included. `applyable_since`: the first version whose JSON has
    `applyable` and `complete`; None if there is none.
    """

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    schema: Schema
    actions: Mapping[int, Action]
    applyable_since: tuple[int, int] | None = None


# Verified by running: Terraform 1.6, 1.8 to 1.12, 1.14, 1.15 and 1.17-dev, OpenTofu 1.6 and
# 1.13-dev; versions between these by their source. We have seen no plan with OpenTofu 1.11's
# action `open` (9).
TERRAFORM = Tool(
    name="Terraform",
    first=(1, 6),
    last=(1, 17),
    schema=make_schema(
        "plan",
        numbers={FORMAT_VERSION, MODE, ERRORED, APPLYABLE, COMPLETE},
        strings=SKIPPED | SKIPPED_IN_TERRAFORM | ONCE,
    ),
    actions=ACTIONS | {9: _make_action("create", "forget")},
    applyable_since=(1, 8),
)
OPENTOFU = Tool(
    name="OpenTofu",
    first=(1, 6),
    last=(1, 13),
    schema=make_schema("plan", numbers={FORMAT_VERSION, MODE, ERRORED}, strings=SKIPPED | ONCE),
    actions=ACTIONS | {10: _make_action("forget", "create")},
)


class Parts(Struct):
    """The parts of a plan, filled while its fields are read, which may come in any order.

    `targeted`: whether the plan was made with `-target` or `-exclude`.
    """

    head: Message = field(default_factory=Message)
    changes: list[Change] = []
    drift: list[Drift] = []
    outputs: dict[str, OutputChange] = {}
    targeted: bool = False
    invokes: bool = False
    """Whether the plan was made with `-invoke`; its mode is then refresh-only (Terraform 1.14+)."""


def parse_plan_message(file: IO[bytes], tool: Tool) -> Parts:
    """Parses the message Plan in `file`.

    Raises UnreadableDocument for any field or action that `tool` is not known to write.
    """
    parts, handlers = Parts(), _list_handlers(tool)
    for number, value in wire_format.iterate_fields(file):
        if isinstance(value, bytes) and number in handlers:
            handlers[number](parts, value, tool)
        else:
            parts.head.add(number, value, tool.schema)
    return parts


def _list_handlers(tool: Tool) -> dict[int, Callable[[Parts, bytes, Tool], None]]:
    """By field number, the function that parses the field and adds it to the parts."""
    return {
        CHANGES: _add_change,
        DRIFT: _add_drift,
        OUTPUTS: _add_output,
        TARGETS: _add_target,
        **({EXCLUDES: _add_target} if tool is OPENTOFU else {INVOKES: _add_invocation}),
    }


def _add_change(parts: Parts, encoded: bytes, tool: Tool) -> None:
    message, change, action = _parse_resource_change(encoded, tool)
    address, previous = message.text(ADDRESS), message.text(PREVIOUS_ADDRESS)
    if not (instance := INSTANCE.fullmatch(address)):
        raise UnreadableDocument("it has an address that is no resource instance's")
    data = instance[1] is not None
    # `show -json` also omits the removal of a data source from the state: MarshalResourceChanges
    if not (data and action.names == {"delete"}):
        parts.changes.append(
            Change(
                address=address,
                mode="data" if data else "managed",
                actions=action.names,
                importing=IMPORTING in change.strings,
                previous_address=None if previous in ("", address) else previous,
                deposed=message.text(DEPOSED) or None,
                unknown=_has_unknown(change, action),
            )
        )


def _add_drift(parts: Parts, encoded: bytes, tool: Tool) -> None:
    _, change, action = _parse_resource_change(encoded, tool)
    before, after, _ = _parse_sides(change, action)
    parts.drift.append(Drift(action.names, drop_empty(before) != drop_empty(after)))


def _add_output(parts: Parts, encoded: bytes, tool: Tool) -> None:
    message = wire_format.parse_message(encoded, OUTPUT_SCHEMA)
    change, action = _parse_change(message, OUTPUT_CHANGE, tool)
    before, after, unknown = _parse_sides(change, action)
    name = message.text(OUTPUT_NAME)
    if name in parts.outputs:
        raise UnreadableDocument("it has two changes of one output")
    parts.outputs[name] = OutputChange(
        actions=action.names,
        null=before is None and after is None and not unknown,
        unknown=unknown,
        before=None if before is None else digest_value(before),
    )


def _add_target(parts: Parts, _encoded: bytes, _tool: Tool) -> None:
    parts.targeted = True


def _add_invocation(parts: Parts, _encoded: bytes, _tool: Tool) -> None:
    parts.invokes = True


def _parse_resource_change(encoded: bytes, tool: Tool) -> tuple[Message, Message, Action]:
    message = wire_format.parse_message(encoded, RESOURCE_SCHEMA)
    if message.number(REASON) not in REASONS:
        raise UnreadableDocument("it has an action_reason that this tfevents does not know")
    return message, *_parse_change(message, CHANGE, tool)


def _parse_change(message: Message, number: int, tool: Tool) -> tuple[Message, Action]:
    if number not in message.strings:
        raise UnreadableDocument("it has a change without actions")
    change = wire_format.parse_message(message.strings[number][0], CHANGE_SCHEMA)
    action = tool.actions.get(change.number(ACTION))
    if action is None:
        raise UnreadableDocument("it has an action that this tfevents does not know")
    if len(change.strings.get(VALUES, ())) != action.values:
        raise UnreadableDocument("it has a change with too few or too many values")
    return change, action


def _parse_sides(change: Message, action: Action) -> tuple[Any, Any, bool]:
    """The values before and after, and whether any part of the value after is unknown."""
    before, _ = _parse_side(change, action.before)
    if action.before == action.after:
        return before, before, False
    return before, *_parse_side(change, action.after)


def _parse_side(change: Message, at: int | None) -> tuple[Any, bool]:
    return (None, False) if at is None else cty.parse_value(_find_packed(change, at))


def _has_unknown(change: Message, action: Action) -> bool:
    """Whether any part of the value after an update is unknown; False for other actions."""
    if action.names != UPDATE or action.after is None:
        return False
    return cty.has_unknown(_find_packed(change, action.after))


def _find_packed(change: Message, at: int) -> bytes:
    stored = wire_format.parse_message(change.strings[VALUES][at], VALUE_SCHEMA)
    if MSGPACK not in stored.strings:
        raise UnreadableDocument("it has a value without MessagePack")
    return stored.strings[MSGPACK][0]
