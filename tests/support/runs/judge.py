"""Compares what tfevents reported of one run with what the engine itself says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from support.runs.engineword import NAMES, Numbers, Plan, State, Told, outputs_between
from support.runs.found import Found
from support.runs.script import Turn

REFUSED = (
    "Cannot apply incomplete plan",
    "Cannot apply non-applyable plan",
    "Mismatch between input and plan variable value",
    "Can't change variable when applying a saved plan",
)
"""Messages with which an engine refuses to apply a saved plan."""


@dataclass
class Judge:
    """Compares what tfevents reported of one run with the engine's output, plan and states."""

    found: Found
    turn: Turn
    told: Told
    plan: Plan | None
    before: State
    after: State

    def judge(self, events: list[dict[str, Any]]) -> None:
        rows = [self._row(event) for event in events]
        if None in (expected := self._expected_rows()):
            self.found.right["row unknown"] += 1
        elif rows != expected:
            self.found.wrong.append(f"events {rows}, expected {expected}")
        ends = [e for e in events if e["metadata"].get("activity_status")]
        if ends:
            self._judge_counts(ends[-1])

    def _row(self, event: dict[str, Any]) -> str:
        about = event.get("metadata", {})
        return " ".join(
            filter(
                None,
                (event["event_type"], about.get("activity_type"), about.get("activity_status")),
            )
        )

    @property
    def kind(self) -> str:
        """plan, refresh, import, declined, unplanned (failed before it applied) or apply."""
        if self.turn.command in ("plan", "refresh", "import"):
            return self.turn.command
        if self.told.declined:
            return "declined"
        if self.told.code and not self.told.begun() and not self._applied:
            return "unplanned"
        return "apply"

    @property
    def _applied(self) -> bool:
        """Whether a failed apply had begun to apply: it asked for approval, or its plan was
        good."""
        if self.turn.planned is None:
            return not any(words in self.told.stderr + self.told.stdout for words in REFUSED)
        if "Cannot apply non-applyable plan" in self.told.stderr + self.told.stdout:
            return False
        errored = self.plan is None or self.plan.shown.get("errored")
        return self.told.asked or not errored

    @property
    def operation(self) -> str:
        return "destroy" if self.turn.destroys else "apply"

    def _expected_rows(self) -> list[str | None]:
        kind, good = self.kind, self.told.code == 0
        self.found.kind = kind + ("" if good else " failed")
        if kind == "plan":
            return [self._plan_row()]
        if kind == "declined":
            return ["apply_needed plan success"]
        activity = {"refresh": "apply", "import": "import"}.get(kind, self.operation)
        end = f"failed {activity} failure"
        if good or self._forgot_only:
            end = f"{'inactive' if self.after.empty else 'active'} {activity} success"
        start = "destroying destroy" if activity == "destroy" else "provisioning apply"
        return [*([start] if self._started else []), end]

    @property
    def _forgot_only(self) -> bool:
        """Whether OpenTofu's exit code is 1 only because a destroy has forgotten objects."""
        return "left behind forgotten instances" in self.told.stderr + self.told.stdout

    @property
    def _started(self) -> bool:
        if self.kind != "apply":
            return False
        acted = self.told.begun() or self._forgotten() or (self.told.code and not self._forgot_only)
        return self.told.asked or bool(acted)

    @property
    def _refused(self) -> bool:
        """Whether the engine refused to apply a plan, so that surely nothing was done."""
        return "Cannot apply " in self.told.stderr + self.told.stdout

    def _plan_row(self) -> str | None:
        refresh_only = self.turn.has("-refresh-only")
        activity = "drifted" if refresh_only else "plan"
        if self.told.code == 1:
            return f"failed {activity} failure"
        if self.plan is None:
            return None
        if refresh_only:
            drifted = any(self.plan.drift().values())
            return f"{'drifted' if drifted else 'plan'} drifted success"
        return f"{'apply_needed' if self._applyable() else 'plan'} plan success"

    def _applyable(self) -> bool:
        assert self.plan is not None
        if "applyable" in self.plan.shown:
            return bool(self.plan.shown["applyable"])
        counts, moved = self.plan.counts(), self.plan.moved()
        outputs = self.plan.output_counts()
        acts = any(n for name, n in counts.items() if name != "unchanged")
        return acts or bool(moved) or any(n for x, n in outputs.items() if x != "unchanged")

    def _forgotten(self) -> set[str]:
        """Addresses that the plan said would be forgotten, and that are not in the state any
        more."""
        planned = self.plan.forgets() if self.plan else set()
        return {address for address in planned if (address, "") not in self.after.objects}

    def _judge_counts(self, event: dict[str, Any]) -> None:
        about = event["metadata"]
        for name, expected in (
            ("resource_counts", self._resources()),
            ("output_counts", self._outputs()),
            ("drift_counts", self._drift()),
        ):
            told: Numbers | None = about.get(name)
            if told is None:
                if expected is not None:
                    self.found.absent.append(f"{name} of {self.found.kind}{self._why()}")
            elif expected is None:
                untouched = self._refused and not any(told[n] for n in NAMES if n != "unchanged")
                if not untouched:
                    self.found.wrong.append(f"{name} {_short(told)}, expected none")
            elif told != expected:
                self.found.wrong.append(f"{name} {_short(told)}, expected {_short(expected)}")
            else:
                self.found.right[name] += 1

    def _why(self) -> str:
        """Flags and actions that may explain an absent count."""
        words = [w for w in ("-target", "-refresh-only", "-refresh") if self.turn.has(w)]
        if self.turn.planned is None:
            words.append("saved")
        begun = self.told.completed()
        return " " + "+".join([*words, *sorted(begun)]) if words or begun else ""

    def _resources(self) -> Numbers | None:
        kind = self.kind
        if kind in ("refresh", "unplanned"):
            return None
        if kind == "import":
            return self._imported()
        if kind == "plan":
            if self.plan is None or (self.told.code == 1 and not self.plan.changes()):
                return None
            if not self.turn.has("-refresh-only"):
                return self.plan.counts()
            return self._refresh_only(self.plan)
        if kind == "declined":
            if self.plan is None or self.turn.has("-refresh-only"):
                return None
            return self.plan.counts()
        return self._applied_counts()

    def _imported(self) -> Numbers:
        """Counts of `import`, which has no plan: what the state has in addition."""
        was, now = self.before.current(), self.after.current()
        told = {"imported": len(now - was), "unchanged": len(now & was)}
        return {name: told.get(name, 0) for name in NAMES}

    def _refresh_only(self, plan: Plan) -> Numbers | None:
        if self.turn.has("-target"):
            return None
        counts = plan.refresh_only_counts()
        counts["unchanged"] -= plan.drift()["changed"]
        return counts

    def _applied_counts(self) -> Numbers:
        told, plan = self.told, self.plan
        done = Counter(told.completed())
        imports = plan.imports() if plan else set()
        counts = {name: done[name] for name in NAMES}
        begun = told.begun()
        held = {address for address, _ in self.after.objects}
        counts["imported"] = len(imports & (held | begun))
        if closing := told.closing():
            # by address it can be too low: a current and a deposed object destroyed together
            for name in ("added", "changed", "imported"):
                counts[name] = closing[name]
            if closing["deleted"] > counts["deleted"]:
                counts["deleted"] = closing["deleted"]
        counts["removed"] = len(self._forgotten()) + self._deposed_forgotten() + self._remade()
        counts["unchanged"] = len(self._unchanged(begun, imports))
        return counts

    def _remade(self) -> int:
        """How many objects were forgotten and created again."""
        pairs = [
            c
            for c in (self.plan.changes() if self.plan else ())
            if set(c["change"]["actions"]) == {"create", "forget"}
        ]
        gone = self._forgotten()
        return sum(c["address"] in self.told.begun() and c["address"] not in gone for c in pairs)

    def _deposed_forgotten(self) -> int:
        planned = self.plan.changes() if self.plan else ()
        return sum(
            c["change"]["actions"] == ["forget"]
            and bool(c.get("deposed"))
            and (c["address"], "") in self.after.objects
            and (c["address"], c["deposed"]) not in self.after.objects
            for c in planned
        )

    def _unchanged(self, begun: set[str], imports: set[str]) -> set[str]:
        stay = self.before.current() & self.after.current()
        moved = self.plan.moved() if self.plan else set()
        touched = (begun | self.told.failed()) - self._left_alone()
        return stay - touched - imports - moved

    def _left_alone(self) -> set[str]:
        """Addresses of current objects that the plan leaves alone; a deposed object has the same
        address."""
        planned = self.plan.changes() if self.plan else ()
        return {
            c["address"]
            for c in planned
            if c["change"]["actions"] == ["no-op"] and not c.get("deposed")
        }

    def _outputs(self) -> Numbers | None:
        kind = self.kind
        if kind == "plan":
            return self.plan.output_counts() if self.plan else None
        if kind in ("refresh", "import", "unplanned", "declined"):
            return None
        return outputs_between(self.before, self.after)

    def _drift(self) -> Numbers | None:
        kind = self.kind
        if self.plan is None or kind in ("refresh", "import", "unplanned", "declined"):
            return None
        if self.operation == "destroy" or self.turn.has("-refresh"):
            return None
        if kind == "apply" and self.told.code and self.turn.planned is not None:
            return None
        return self.plan.drift()


def _short(numbers: Numbers) -> str:
    return " ".join(f"{name[0]}{n}" for name, n in numbers.items() if n) or "zeros"
