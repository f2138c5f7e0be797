"""Checks each scenario's counts against those that the binary prints, and its log's wording."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from tfevents.readers.core_log import CoreLogReader
from tfevents.selftest.check import Check, CheckFailed, Skipped
from tfevents.selftest.commands import CommandResult
from tfevents.selftest.groups.scenarios import FAILING, SCENARIOS, Scenario, Version
from tfevents.selftest.history import find_last_event
from tfevents.selftest.scratch import Project, Scratch, find_first_line

COUNT_NAMES = ("imported", "added", "changed", "deleted")
DONE = re.compile(
    r"^(?:Apply|Destroy) complete! Resources: (?:(\d+) imported, )?"
    r"(?:(\d+) added, (\d+) changed, )?(\d+) destroyed",
    re.MULTILINE,
)
PLANNED = re.compile(
    r"^Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy", re.MULTILINE
)
NO_CHANGES = re.compile(r"^(?:No changes\.|You can apply this plan to save)", re.MULTILINE)
COMPLETE = re.compile(r": (Creation|Modifications|Destruction) complete after ")
STEPS = {"Creation": "added", "Modifications": "changed", "Destruction": "deleted"}
LOG_VARIABLE = "TF_TEMP_LOG_PATH"
VERSION = re.compile(r"v(\d+)\.(\d+)\.")


def list_checks(scratch: Scratch) -> Iterator[Check]:
    """One check for each scenario, and one for the wording of the core log."""
    for scenario in SCENARIOS:
        yield Check("counts", scenario.name, partial(_compare_counts, scratch, scenario))
    yield Check("counts", "the log's words are known", partial(_check_log_wording, scratch))


def _compare_counts(scratch: Scratch, scenario: Scenario) -> None:
    project = scratch.make_project({"main.tf": scenario.before or scenario.after})
    if find_version(scratch, project) < scenario.since:
        raise Skipped(f"{scratch.binary.name} is older than {'.'.join(map(str, scenario.since))}")
    _prepare_project(scratch, project, scenario)
    result = scratch.run_wrapped(project, *scenario.words, "-no-color")
    if bool(result.exit_code) is not scenario.fails:
        raise CheckFailed(f"exit code {result.exit_code}: {find_first_line(result.stderr)}")
    expected = parse_printed_counts(result, scenario)
    counts = find_last_event(scratch, project).get("metadata", {}).get("resource_counts")
    if counts is None:
        raise CheckFailed(f"the counts are absent; the binary says {_describe(expected)}")
    found = {name: counts[name] for name in COUNT_NAMES}
    if found != expected:
        raise CheckFailed(f"counted {_describe(found)}; the binary says {_describe(expected)}")


def _prepare_project(scratch: Scratch, project: Project, scenario: Scenario) -> None:
    if scenario.before is None:
        return
    steps = [("apply", "-auto-approve")] + [scenario.prepare] * bool(scenario.prepare)
    for words in steps:
        done = scratch.run_bare(project, *words)
        if done.exit_code:
            raise CheckFailed(f"{' '.join(words)} failed: {find_first_line(done.stderr)}")
    project.write({"main.tf": scenario.after})


def parse_printed_counts(result: CommandResult, scenario: Scenario) -> Mapping[str, int]:
    """The counts that the binary printed, by name. Raises CheckFailed if it printed none known."""
    text = result.stdout.decode(errors="replace")
    if scenario.fails:
        done = Counter(STEPS[step] for step in COMPLETE.findall(text))
        return {name: done[name] for name in COUNT_NAMES}
    pattern = PLANNED if scenario.words[0] == "plan" else DONE
    if found := pattern.search(text):
        return dict(zip(COUNT_NAMES, (int(number or 0) for number in found.groups()), strict=True))
    if NO_CHANGES.search(text):
        return dict.fromkeys(COUNT_NAMES, 0)
    raise CheckFailed("the binary's closing line is missing, or in other words than we know")


def _describe(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def find_version(scratch: Scratch, project: Project) -> Version:
    """Major and minor version of the binary; (0, 0) where it does not report one."""
    output = scratch.run_bare(project, "version").stdout.decode(errors="replace")
    found = VERSION.search(output)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _check_log_wording(scratch: Scratch) -> None:
    """Checks the core log of a real apply, half of which fails so that it logs a failure too."""
    text = SCENARIOS[0].after + FAILING
    path = scratch.root / "core.log"
    project = scratch.make_project({"main.tf": text}, **{LOG_VARIABLE: str(path)})
    path.write_bytes(b"")  # empty: drops what init wrote; terraform does not create the file
    scratch.run_bare(project, "apply", "-auto-approve")
    unknown = list_unknown_words(path)
    if unknown:
        version = ".".join(map(str, find_version(scratch, project)))
        provisioner = f"{scratch.binary.name} {version}"
        raise CheckFailed(f"{provisioner} writes its log in other words than we know: no {unknown}")


def list_unknown_words(path: Path) -> str:
    """The kinds of message that were not recognised in a core log, by name; empty if all were."""
    reader = CoreLogReader()
    try:
        reader.feed(path.read_bytes())
    except OSError:
        return "log at all"
    log = reader.log
    recognised = {
        "version": log.version,
        "planning": log.plans == 1,
        "planned change": len(log.planned) == 4,
        "apply": log.applies == 1,
        "apply graph": log.graphs == 1,
        "beginning of a change": len(log.begun) == 4,
        "failure": len(log.failures) == 1,
    }
    return ", ".join(name for name, known in recognised.items() if not known)
