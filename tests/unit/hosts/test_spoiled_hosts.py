"""Whatever the variables of a hook's host hold, the call's texts are bounded and hold no secret."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import asdict
from support.fuzzing import Examples
from support.spoiled_hosts import SECRET, make_environment, make_paths

from tfevents.hosts.baseline import Baseline, make_baseline, parse_baseline
from tfevents.hosts.call import CallOptions, HookCall, parse_call
from tfevents.hosts.hook_facts import collect_facts, explain_missing_plan, find_plan
from tfevents.hosts.hook_hosts import find_host
from tfevents.hosts.hook_outcome import determine_hook_outcome
from tfevents.terraform.arguments import REPORTED

MOMENTS = ("before", "after", "error")
MOST = 4096
"""Bytes of the longest path, which is the longest text that a host can provide."""


def check_texts(call: HookCall) -> None:
    """Asserts that the texts of the call and its host are bounded and hold no value of an unrelated
    variable."""
    found = {**asdict(call), **asdict(call.host)}
    texts = [text for text in found.values() if isinstance(text, str)]
    assert max(len(os.fsencode(text)) for text in texts) <= MOST + len(os.getcwd())
    assert call.tf_workspace.encode()  # the journal takes nothing else
    assert SECRET not in repr(call)
    assert call.host.exit_code is None or 0 <= call.host.exit_code < 1 << 32


@pytest.mark.fuzz("hook hosts' environments", 2000)
def test_a_spoiled_environment_is_a_call_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: Examples
) -> None:
    """Where the variables name paths that are files, directories, FIFOs or missing, no read blocks
    and no plan is found."""
    monkeypatch.chdir(tmp_path)
    paths = make_paths(tmp_path)
    called = 0
    for dice in examples:
        env = make_environment(dice, paths)
        host = find_host(env)
        words = [host.command or dice.choice(sorted(REPORTED))]
        call = parse_call(dice.choice(MOMENTS), words, CallOptions(), host, env)
        if call is None:
            continue
        called += 1
        check_texts(call)
        baseline = make_baseline(call, None, None)
        assert parse_baseline(json.loads(json.dumps(baseline.as_json()))) == baseline
        planned = find_plan(call, None, env, Baseline())
        assert planned is None
        assert SECRET not in (explain_missing_plan(call) or "")
        known = collect_facts(call, planned, None, baseline)
        assert determine_hook_outcome(known).numbers.resources is None
    examples.check_both(called)
