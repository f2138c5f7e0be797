"""Measures a relay to which a hundred runners send events at once; it commits each before it
answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

from measure import Row
from support.postgres import Postgres, find_programs
from support.receiver import Receiver
from support.relay import NOBODY, start_relay

RUNNERS, EACH = 100, 100


def measure(wanted: argparse.Namespace) -> Iterator[Row]:
    """Measures what a relay accepts while the service is unreachable; the runners use the same
    CPUs."""
    with tempfile.TemporaryDirectory() as home, start_relay(Path(home), NOBODY) as relay:
        yield measure_relay("SQLite", relay)
    if find_programs() is None:
        return
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        shared = "--database", stack.enter_context(Postgres(durable=True)).url
        relay = stack.enter_context(start_relay(Path(home), NOBODY, *shared))
        yield measure_relay("PostgreSQL", relay)


def measure_relay(database: str, relay: Receiver) -> Row:
    """Measures one relay with an empty database."""
    began, before = time.perf_counter(), cpu_seconds(relay)
    asyncio.run(report_all(urlsplit(relay.url).port or 0))
    seconds, busy = time.perf_counter() - began, cpu_seconds(relay) - before
    count = RUNNERS * EACH
    rate = f"{count / seconds:.0f} events, {count / busy:.0f} a CPU second"
    return Row(f"relay, {count} events of {RUNNERS} runners, {database}", ours=seconds, rate=rate)


def cpu_seconds(relay: Receiver) -> float:
    """CPU seconds that the relay's process has used so far."""
    fields = Path(f"/proc/{relay.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def report_all(port: int) -> None:
    """Sends the events of all runners; each has its own connection, API key and workspace."""
    await asyncio.gather(*(report(port, number) for number in range(RUNNERS)))


async def report(port: int, number: int) -> None:
    """Sends one runner's events one after the other, each as large as a run's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with closing(writer):
        for _ in range(EACH):
            writer.write(make_request(number))
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200"), answer


def make_request(number: int) -> bytes:
    """The bytes of a request with one event."""
    counts = {"added": 3, "changed": 2, "deleted": 1, "imported": 0, "removed": 0, "unchanged": 52}
    event = {
        "event_type": "active",
        "metadata": {
            "activity_type": "apply",
            "activity_status": "success",
            "resource_counts": counts,
            "output_counts": counts,
            "git_branch": "main",
            "git_commit_message": "A message that says why",
            "git_commit_sha": "0123456789" * 4,
            "git_repo": "https://git.example/infra/network",
            "pipeline": "network",
            "provisioner": "terraform",
            "provisioner_version": "1.13.1",
            "state_checksum": "0123456789abcdef" * 4,
        },
        "data": {"event_id": str(uuid.uuid4()), "run_id": str(uuid.uuid4()), "exit_code": "0"},
    }
    body = json.dumps(event).encode()
    head = (
        f"POST /iacm/api/orgs/default/projects/infra/workspaces/w{number}/events HTTP/1.1\r\n"
        f"Host: relay\r\nx-api-key: pat.acct.{number}.secret\r\nHarness-Account: acct\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
