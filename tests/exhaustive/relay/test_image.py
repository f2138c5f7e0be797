"""The relay's image, built from its Dockerfile, runs as its own user with a read-only root
directory."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.debian import need_tools
from support.endpoint import Endpoint
from support.image import Image, build_image
from support.receiver import HEADERS, KEY
from support.relay import SECRET, make_event

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(900)]

EVENTS = "/iacm/api/orgs/default/projects/infra/workspaces/prod/events"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The image, built once for this module."""
    need_tools("buildah")
    with build_image("samples/relay/Dockerfile") as built:
        yield built


def test_events_go_through_it(image: Image, endpoint: Endpoint, tmp_path: Path) -> None:
    """The relay stores events in its working directory, a volume, and forwards them; SIGTERM ends
    the relay with exit code 0."""
    os.chown(tmp_path, 65532, 65532)
    tmp_path.chmod(0o700)
    env = {"TFEVENTS_RELAY_SECRET": SECRET}
    words = [*image.command(tmp_path, env), "--port", "0", "--forward", endpoint.url]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as container:
        assert container.stdout
        said = container.stdout.readline()
        (url,) = re.findall(r"relays (http://127\.0\.0\.1:\d+) to", said)
        headers = {**HEADERS, "Content-Type": "application/json"}
        with httpx.Client(base_url=url, headers=headers, trust_env=False) as runner:
            assert runner.post(EVENTS, json=make_event(1)).status_code == 200
            assert runner.get("/healthz").text == "ok\n"
        assert endpoint.wait_for(1) == [make_event(1)]
        assert endpoint.requests[0].headers["x-api-key"] == KEY
        assert (tmp_path / "relay.db").stat().st_uid == 65532
        children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text()
        os.kill(int(children), signal.SIGTERM)
        assert container.wait(30) == 0
