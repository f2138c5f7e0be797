"""What an apply did is counted: for recordings, and where log and states leave it open."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from support.core_logs import ALL, Recording, parse_core_log

from tfevents.terraform.apply_log import ApplyLog, Move, MoveIndex
from tfevents.terraform.arguments import Mode
from tfevents.terraform.changes import (
    Apply,
    count_drift_between_states,
    count_logged_plan,
    count_outputs,
    count_resources,
    count_tainted,
)
from tfevents.terraform.counts import Counts
from tfevents.terraform.plan import Change, Plan
from tfevents.terraform.state import State, StateObject
from tfevents.terraform.values import digest_value

APPLY = "[INFO]  backend/local: apply calling Apply"
GRAPH = "[DEBUG] Building and walking apply graph for NormalMode plan"
OLD, NEW = StateObject(b"old", nonempty=b"old"), StateObject(b"new", nonempty=b"new")
BAD = StateObject(b"bad", tainted=True, nonempty=b"bad")


def log_of(*lines: str, before: tuple[str, ...] = ()) -> ApplyLog:
    """A log with these lines while applying, and with the lines of `before` while planning."""
    text = (f"2026-11-27T09:22:01.823Z {line}\n" for line in (*before, APPLY, GRAPH, *lines))
    return parse_core_log("".join(text).encode())


def begun(address: str, action: str) -> str:
    """The log's line for a change that was begun."""
    return f"[DEBUG] {address}: applying the planned {action} change"


def failed(node: str, error: str = "no") -> str:
    """The log's line for a node that failed."""
    return f'[ERROR] vertex "{node}" error: {error}'


def state(**objects: StateObject) -> State:
    """A state of objects `x.NAME`; `NAME__KEY` is a deposed object."""
    keys = {name: name.partition("__") for name in objects}
    return State(
        {(f"x.{keys[n][0]}", keys[n][2] or None): found for n, found in objects.items()},
        serial=1,
        lineage="l",
    )


def apply(log: ApplyLog, before: State | None, after: State | None, **about: object) -> Apply:
    """An apply that finished, in the normal mode unless `about` says otherwise."""
    known = {"mode": Mode.NORMAL, "succeeded": True, **about}
    return Apply(log, before, after, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize("recording", ALL, ids=lambda r: r.name)
def test_counts_are_the_engine_s_own(recording: Recording) -> None:
    """The counts are those of the engine's closing line, if it printed one."""
    said, counts = recording.said(), count_resources(recording.apply())
    if recording.scenario in ("nested", "move_import_forget"):
        assert counts is None  # two applies; a log without what was imported
    elif said is not None:
        assert counts is not None
        found = counts.as_json()
        assert {name: found[name] for name in said} == said
        assert not any(found[name] for name in found.keys() - said.keys() - {"unchanged"})


@pytest.mark.parametrize(
    "recording", [r for r in ALL if r.scenario == "half_failed"], ids=lambda r: r.name
)
def test_half_of_an_apply(recording: Recording) -> None:
    """Of an apply with one updated object, one tainted by its provisioner and one never begun, only
    the update counts."""
    assert count_resources(recording.apply()) == Counts(changed=1)
    assert count_tainted(recording.apply()) == 1


def test_a_refused_update_is_no_change() -> None:
    """A failed update does not count, although terraform has stored the new values that the
    provider returned (AWS' SDK does so)."""
    log = log_of(begun("x.a", "Update"), failed("x.a"), begun("x.b", "Update"))
    run = apply(log, state(a=OLD, b=OLD, c=OLD), state(a=NEW, b=NEW, c=OLD), succeeded=False)
    assert count_resources(run) == Counts(changed=1, unchanged=1)


def test_a_postcondition_fails_when_the_object_is_there() -> None:
    """A change whose postcondition fails counts, because terraform has counted it by then."""
    wrong = "Resource postcondition failed"
    created = begun("x.a", "Create"), failed("x.a", wrong)
    log = log_of(*created, begun("x.b", "Update"), failed("x.b", wrong))
    run = apply(log, state(b=OLD), state(a=NEW, b=NEW), succeeded=False)
    assert count_resources(run) == Counts(added=1, changed=1)


def test_a_replacement_by_the_same_values() -> None:
    """A replacement by an object with the same values counts as one added and one deleted, which
    the states alone do not show."""
    log = log_of(begun("x.a", "Delete"), begun("x.a", "Create"))
    assert count_resources(apply(log, state(a=OLD), state(a=OLD))) == Counts(added=1, deleted=1)


def test_a_creation_before_a_destruction_that_fails_puts_the_old_one_back() -> None:
    """If a creation that replaces an object fails, the old object is restored and does not
    count."""
    log = log_of(begun("x.a", "Create"), failed("x.a"))
    run = apply(log, state(a=OLD), state(a=OLD), succeeded=False)
    assert count_resources(run) == Counts()


def test_deletions_of_one_address() -> None:
    """If a current and a deposed object of one address are deleted, and the deposed one's deletion
    fails, one deletion counts."""
    log = log_of(
        begun("x.a", "Delete"), begun("x.a", "Delete"), failed("x.a (destroy deposed 0a1b2c3d)")
    )
    before, after = state(a=OLD, a__0a1b2c3d=OLD), state(a__0a1b2c3d=OLD)
    assert count_resources(apply(log, before, after, succeeded=False)) == Counts(deleted=1)


@pytest.mark.parametrize("node", ["", "x.a (destroy deposed 0a1b2c3d)"])
def test_a_deposed_object_beside_its_current_one(node: str) -> None:
    """Whether its deposed object is deleted or not, a current object counts as unchanged: a plan
    calls it no-op."""
    log = log_of(begun("x.a", "Delete"), *([failed(node)] if node else []))
    before = state(a=OLD, a__0a1b2c3d=OLD)
    run = apply(log, before, before if node else state(a=OLD), succeeded=not node)
    assert count_resources(run) == Counts(deleted=0 if node else 1, unchanged=1)


def test_what_is_forgotten() -> None:
    """An object that leaves the state without a deletion counts as removed; one that is forgotten
    and created anew counts as both."""
    forget = 'ProviderTransformer: "%s" (*tofu.NodeForgetResourceInstance) needs provider'
    log = log_of(
        "[DEBUG] " + forget % "x.a (forget)",
        "[DEBUG] " + forget % "x.b (forget)",
        "[DEBUG] For apply the action ForgetThenCreate was changed to Create for resource x.b",
        begun("x.b", "Create"),
    )
    run = apply(log, state(a=OLD, b=OLD), state(b=NEW))
    assert count_resources(run) == Counts(added=1, removed=2)


@pytest.mark.parametrize("replaced", [False, True])
def test_what_is_imported(replaced: bool) -> None:
    """An import is known from the log of the planning; the imported object may also be replaced."""
    lines = (begun("x.a", "Delete"), begun("x.a", "Create")) if replaced else ()
    planned = '[TRACE] graphNodeImportState: import x.a "id" produced instance object of type x'
    log = log_of(*lines, before=(planned,))
    done = Counts(added=1, deleted=1, imported=1) if replaced else Counts(imported=1)
    assert count_resources(apply(log, state(), state(a=NEW))) == done


def test_what_a_saved_plan_imports_and_moves() -> None:
    """Imports and moves of a saved plan are known from the plan, because the log does not mention
    them."""
    no_op = frozenset({"no-op"})
    changes = (
        Change("x.a", "managed", no_op, importing=True),
        Change("x.b", "managed", no_op, previous_address="x.old"),
        Change("x.c", "managed", no_op),
    )
    run = apply(
        log_of(), state(old=OLD, c=OLD), state(a=NEW, b=OLD, c=OLD), plan=Plan("1.2", "1", changes)
    )
    assert count_resources(run) == Counts(imported=1, unchanged=1)


def test_what_moves_is_not_unchanged() -> None:
    """An object that moves does not count as unchanged, if its resource moves, also twice in a row,
    or its module."""
    moves = tuple(
        f"[TRACE] refactoring.ApplyMoves: {said}"
        for said in (
            "resource x.a has moved to x.b",
            "resource x.b has moved to x.c",
            "module.m has moved to module.n[0]",
        )
    )
    log, before = log_of(before=moves), state(a=OLD, stays=OLD)
    after = state(c=NEW, stays=OLD)
    before.objects["module.m.x.y", None] = OLD  # type: ignore[index]
    after.objects["module.n[0].x.y", None] = OLD  # type: ignore[index]
    run = apply(log, before, after)
    assert count_resources(run) == Counts(unchanged=1)
    assert count_drift_between_states(run) == Counts(changed=1)


MOVES = "[TRACE] refactoring.ApplyMoves: "


@pytest.mark.parametrize(
    ("said", "before", "after"),
    [
        ("resource instance x.a has moved to x.a[0]", ["x.a", "x.b"], ["x.a[0]", "x.b"]),
        ('resource instance x.a["k"] has moved to x.a', ['x.a["k"]', "x.a[1]"], ["x.a", "x.a[1]"]),
        ("resource x.a has moved to x.c", ["x.a[1]", "x.cd"], ["x.c[1]", "x.cd"]),
        (
            "module.m[0] has moved to module.m",
            ["module.m[0].x.a", "module.m[1].x.a"],
            ["module.m.x.a", "module.m[1].x.a"],
        ),
    ],
)
def test_what_moves_along(said: str, before: list[str], after: list[str]) -> None:
    """An instance moves alone, a resource with all its instances, a module with all its objects;
    objects beside them do not."""
    was, now = (State({(at, None): OLD for at in held}, serial=1) for held in (before, after))
    assert count_resources(apply(log_of(before=(MOVES + said,)), was, now)) == Counts(unchanged=1)


def test_a_move_that_was_none() -> None:
    """A move that terraform logs and then skips, because the new address is taken, is no move."""
    log = log_of(
        begun("x.a", "Delete"),
        before=(
            f"{MOVES}resource x.a has moved to x.b",
            "[WARN]  Skipped moving x.a to x.b, because there's already another resource at the"
            " destination",
        ),
    )
    found = count_resources(apply(log, state(a=OLD, b=OLD), state(b=OLD)))
    assert found == Counts(deleted=1, unchanged=1)


def test_moves_are_found_by_their_target() -> None:
    """The moves of an address are those found by trying all moves from the last one back, for
    modules, resources and instances, also with keys that look like addresses."""
    random = Random(1)
    modules = ["", "module.m.", "module.m[0].", "module.n.", 'module.m["a.b[0]"].']
    names = [f"x.a{key}" for key in ("", "[0]", '["k"]', '["k.x.a"]', "b")]
    resources = [f"{module}{name}" for module, name in product(modules, names)]
    kinds = [(resources, ""), (resources, r"(\[.*)?"), ([m[:-1] for m in modules[1:]], r"\..*")]
    for _ in range(300):
        moves = [
            Move(*random.sample(addresses, 2), suffix_pattern=pattern)
            for addresses, pattern in random.choices(kinds, k=6)
        ]
        index = MoveIndex(moves)
        for address in resources:
            origin = address
            for move in reversed(moves):
                origin = move.origin(origin)
            assert index.find_origin(address) == origin
            moved = any(move.origin(address) != address for move in moves)
            assert index.has_moved(address) == moved


MANY = range(30_000)


@pytest.mark.exhaustive
@pytest.mark.timeout(100)
def test_very_many_objects() -> None:
    """Many thousand deletions, updates and moves are counted within the time limit of this test,
    which they exceed by far if all objects or all moves are looked at for each object."""
    log = log_of(
        *(begun(f"x.gone[{i}]", "Delete") for i in MANY),
        *(begun(f"x.new[{i}]", "Update") for i in MANY),
        before=tuple(f"{MOVES}resource instance x.old[{i}] has moved to x.now[{i}]" for i in MANY),
    )
    was, now = (
        State({(f"x.{n}[{i}]", None): OLD for n in names for i in MANY}, serial=1)
        for names in (("gone", "new", "old", "same"), ("new", "now", "same"))
    )
    run = apply(log, was, now)
    assert count_resources(run) == Counts(changed=len(MANY), deleted=len(MANY), unchanged=len(MANY))


@pytest.mark.exhaustive
@pytest.mark.timeout(100)
def test_a_plan_of_very_many_moves() -> None:
    """Many thousand moves that were planned are counted within the time limit of this test, which
    they exceed by far if all moves are looked at for each object."""
    log = log_of(
        before=(
            *(f"{MOVES}resource instance x.old[{i}] has moved to x.now[{i}]" for i in MANY),
            *(f"[TRACE] writeChange: recorded NoOp change for x.now[{i}]" for i in MANY),
            *(f"[TRACE] writeChange: recorded NoOp change for x.same[{i}]" for i in MANY),
        )
    )
    assert count_logged_plan(log) == Counts(unchanged=len(MANY))


def test_an_object_that_nobody_made() -> None:
    """If the state after has an object that the log does not explain, the counts are None: the
    states are not of this run alone."""
    assert count_resources(apply(log_of(), state(), state(a=NEW))) is None


@pytest.mark.parametrize("lines", [(APPLY, GRAPH), (APPLY,), (GRAPH,)])
def test_two_applies_in_one_log(lines: tuple[str, ...]) -> None:
    """If a nested terraform wrote to the same log, the counts are None."""
    assert count_resources(apply(log_of(*lines), state(a=OLD), state(a=OLD))) is None


def test_a_run_that_ended_in_the_middle() -> None:
    """For an interrupted run the counts are None once a change was begun, because its end is not
    known."""
    log = log_of(begun("x.a", "Update"))
    assert count_resources(apply(log, state(a=OLD), state(a=NEW), ended_abruptly=True)) is None
    assert count_resources(
        apply(log_of(), state(a=OLD), state(a=OLD), ended_abruptly=True)
    ) == Counts(unchanged=1)


def test_without_the_state_before() -> None:
    """Without the state before, unchanged objects are known from the plan if it covered every
    object; outputs and drift are None."""
    planned = (
        "[INFO]  backend/local: apply calling Plan",
        "[TRACE] writeChange: recorded NoOp change for x.a",
        "[TRACE] writeChange: recorded Update change for x.b",
    )
    log = log_of(begun("x.b", "Update"), before=planned)
    after = state(a=OLD, b=NEW)
    assert count_resources(apply(log, None, after)) == Counts(changed=1, unchanged=1)
    assert count_resources(apply(log, None, after, complete=False)) is None
    assert count_outputs(apply(log, None, after)) is None
    assert count_drift_between_states(apply(log, None, after)) is None


def outputs(**values: object) -> State:
    """A state with these outputs, each a value or a pair of a value and whether it is sensitive."""
    pairs = {n: v if isinstance(v, tuple) else (v, False) for n, v in values.items()}
    return State(
        outputs={name: digest_value(value) for name, (value, _) in pairs.items()},
        stored_outputs={name: digest_value(pair) for name, pair in pairs.items()},
        serial=1,
        lineage="l",
    )


def test_outputs() -> None:
    """Outputs are compared between both states; null counts as missing, unless it is stored in
    both."""
    before = outputs(same=1, other=1, gone=1, null=None, filled=None, emptied=1, hidden=1)
    after = outputs(
        same=1, other=2, new=1, null=None, filled=1, emptied=None, hidden=(1, True), nothing=None
    )
    found = count_outputs(apply(log_of(), before, after))
    assert found == Counts(added=2, changed=2, deleted=2, unchanged=2)


def test_drift() -> None:
    """Drift is an object that changed without an action, or that disappeared, whether it was
    created anew or not; differences of empty values are none."""
    log = log_of(begun("x.made", "Create"))
    noise = StateObject(b"other", nonempty=b"old")
    before = state(a=OLD, b=OLD, gone=OLD, made=OLD)
    run = apply(log, before, state(a=NEW, b=noise, made=NEW))
    assert count_drift_between_states(run) == Counts(changed=1, deleted=2)
    assert count_resources(run) == Counts(added=1, unchanged=2)


@pytest.mark.parametrize(
    "about", [{"refreshed": False}, {"succeeded": False}, {"mode": Mode.DESTROY}]
)
def test_drift_that_was_not_looked_for(about: dict[str, object]) -> None:
    """Drift is None if the run did not refresh, did not finish or destroyed."""
    assert count_drift_between_states(apply(log_of(), state(a=OLD), state(a=NEW), **about)) is None


@pytest.mark.parametrize("action", ["Update", "Delete"])
def test_drift_that_can_not_be_seen(action: str) -> None:
    """Drift is None if an existing object was updated or deleted, which hides what the refresh
    found."""
    log = log_of(begun("x.a", action))
    assert count_drift_between_states(apply(log, state(a=OLD, b=OLD), state(a=NEW, b=OLD))) is None


def test_what_was_planned() -> None:
    """The planned changes of a declined run are counted from the log."""
    log = log_of(
        before=(
            "[TRACE] writeChange: recorded DeleteThenCreate change for x.a",
            "[TRACE] writeChange: recorded NoOp change for x.b",
            "[TRACE] writeChange: recorded NoOp change for x.moved",
            "[TRACE] refactoring.ApplyMoves: resource x.old has moved to x.moved",
            "[TRACE] writeChange: recorded NoOp change for x.came",
            '[TRACE] graphNodeImportState: import x.came "i" produced instance object of type x',
            "[TRACE] writeChange: recorded Forget change for x.c",
        )
    )
    assert count_logged_plan(log) == Counts(added=1, deleted=1, imported=1, removed=1, unchanged=1)


def test_an_action_that_nobody_knows_yet() -> None:
    """With an action that is not known, the counts are None, never too small."""
    assert (
        count_logged_plan(log_of(before=("[TRACE] writeChange: recorded Melt change for x.a",)))
        is None
    )
