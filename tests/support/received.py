"""Thousands of runs as a receiver would have stored them, to look at its pages with."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path
from typing import Any

from tfevents.receiver.database import open_database
from tfevents.receiver.tables import EVENTS, WORKSPACES

BEGAN = 1_795_000_000_000
HOUR = 3_600_000
NAMES = ("network", "data", "dns", "cluster", "iam", "cdn", "observability", "queue", "search")
STAGES = ("prod", "staging", "dev", "sandbox")
ENDINGS = (
    *[("active", "apply", "success")] * 6,
    *[("apply_needed", "plan", "success")] * 4,
    *[("plan", "plan", "success")] * 4,
    ("drifted", "drifted", "success"),
    ("failed", "apply", "failure"),
    ("inactive", "destroy", "success"),
)


def fill(home: Path, runs: int) -> None:
    """Stores this many runs, the same each time: one workspace for each hundred of them, but at
    least nine."""
    engine = open_database(str(home))
    chance = random.Random(runs)  # not for secrets
    places = [make_place(number) for number in range(max(9, runs // 100))][: max(1, runs)]
    rows = [row for number in range(runs) for row in make_run(chance, number, len(places))]
    with engine.begin() as connection:
        if rows:
            connection.execute(WORKSPACES.insert(), places)
            connection.execute(EVENTS.insert(), rows)
    engine.dispose()


def make_place(number: int) -> dict[str, Any]:
    stage, name = STAGES[number % 4], NAMES[number % 9]
    more = f"-{number // 36}" if number >= 36 else ""
    place = {"account": "acct", "org": "default", "project": "platform"}
    return {"id": number + 1, **place, "workspace": f"{stage}-{name}{more}"}


def make_run(chance: random.Random, number: int, places: int) -> list[dict[str, Any]]:
    """The events of one run: its start, if it is an apply or destroy, and its end."""
    event_type, activity, status = chance.choice(ENDINGS)
    about: dict[str, Any] = {
        "activity_type": activity,
        "git_repo": "https://github.com/acme/estate.git",
        "git_branch": chance.choice(["main", "feature/wider-subnets"]),
        "git_commit_sha": f"{chance.getrandbits(160):040x}",
        "git_commit_message": chance.choice(["Wider subnets", "Rotate the CDN's certificate"]),
        "pipeline": "deploy",
        "pipeline_name": "Deploy estate",
        "pipeline_execution_number": str(number),
        "provisioner": "terraform",
        "provisioner_version": "1.11.4",
        "trigger": {"actor": "jo", "url": f"https://github.com/acme/estate/actions/runs/{number}"},
    }
    data = {"run_id": str(uuid.UUID(int=chance.getrandbits(128))), "directory": "live/network"}
    started = f"2026-11-{1 + number % 28:02}T10:00:00Z"
    end = {
        "resource_counts": make_counts(chance, event_type),
        "output_counts": make_counts(chance, "plan"),
        "drift_counts": make_counts(chance, "drifted" if event_type == "drifted" else "plan"),
        "cost_total_monthly": f"{chance.uniform(20, 9000):.2f}",
        "cost_diff_total_monthly": f"{chance.uniform(-90, 300):.2f}",
        "cost_currency": "USD",
    }
    finished = f"2026-11-{1 + number % 28:02}T10:{chance.randrange(10):02}:{number % 60:02}Z"
    events = [
        (
            event_type,
            {**about, **end, "activity_status": status},
            {**data, "started_at": started, "finished_at": finished, "exit_code": "0"},
        )
    ]
    if activity in ("apply", "destroy"):
        begun = "provisioning" if activity == "apply" else "destroying"
        events.insert(0, (begun, about, {**data, "started_at": started}))
    place = 1 + min(chance.randrange(places), chance.randrange(places))
    at = BEGAN + number * HOUR // 3
    return [make_row(chance, place, at + i * 60_000, *event) for i, event in enumerate(events)]


def make_counts(chance: random.Random, event_type: str) -> dict[str, int]:
    most = {"plan": 0, "inactive": 0, "drifted": 2}.get(event_type, 12)
    counts = {name: chance.randint(0, most) for name in ("added", "changed", "deleted")}
    if event_type == "inactive":
        counts["deleted"] = chance.randint(3, 60)
    return {**counts, "imported": 0, "removed": 0, "unchanged": chance.randint(0, 120)}


def make_row(
    chance: random.Random,
    workspace_id: int,
    at: int,
    event_type: str,
    about: dict[str, Any],
    data: dict[str, str],
) -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=chance.getrandbits(128))),
        "received_at": at,
        "workspace_id": workspace_id,
        "run": data["run_id"],
        "event_type": event_type,
        "activity_type": about["activity_type"],
        "activity_status": about.get("activity_status"),
        "pipeline": about["pipeline"],
        "pipeline_execution_id": None,
        "pipeline_stage_id": None,
        "body": json.dumps({"event_type": event_type, "metadata": about, "data": data}),
    }
