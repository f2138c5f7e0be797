"""Derives from the facts what is wrong, each finding with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tfevents.doctor.facts import DoctorFacts, EndpointFacts
from tfevents.journal.ownership import ASSIGN

NETWORK_CURE = "check TFEVENTS_URL, the name server and HTTPS_PROXY"
CURES = {
    "Unauthorized": "make a new key at that server, and see that TFEVENTS_ACCOUNT is its account",
    "Refused": "check TFEVENTS_ORG, TFEVENTS_PROJECT and TFEVENTS_WORKSPACE",
    "DeliveryError": "set TFEVENTS_URL to the address of the service itself",
}
NO_SERVER_CURE = "see that a server listens there, and check TFEVENTS_URL"
CERTIFICATE, REFUSED_CONNECTION = "certificate", "connection refused"
FLUSH_CURE = "once that is fixed: tfevents flush"


class Finding(Struct, frozen=True):
    """`problem`: True where this keeps a run here from being reported, False for a warning."""

    problem: bool
    what: str
    cure: str


def list_findings(facts: DoctorFacts) -> list[Finding]:
    """All findings, problems before warnings."""
    found = [*_find_problems(facts), *_find_warnings(facts)]
    return sorted(found, key=_is_warning)


def _is_warning(finding: Finding) -> bool:
    return not finding.problem


def _find_problems(facts: DoctorFacts) -> Iterator[Finding]:
    if facts.settings.disabled:
        what = "TFEVENTS_DISABLED switches reporting off"
        yield Finding(problem=True, what=what, cure="unset it, or set it to 0")
    if facts.binary.problem:
        yield _split_message(facts.binary.problem)
    for wrong in facts.settings.wrong:
        yield _split_message(wrong)
    if facts.home.problem:
        cure = "set TFEVENTS_HOME to a directory that is yours alone"
        yield Finding(problem=True, what=facts.home.problem, cure=cure)
    if not (facts.settings.has_key or facts.settings.wrong):
        cure = "set TFEVENTS_API_KEY to a key of your server: pat.ACCOUNT.ID.SECRET"
        yield Finding(problem=True, what="no API key is set", cure=cure)
    if facts.settings.missing:
        names = " and ".join(f"TFEVENTS_{name.upper()}" for name in facts.settings.missing)
        pronoun = "it" if len(facts.settings.missing) == 1 else "them"
        cure = f"set {names}, or name {pronoun} in .tfevents.hcl (tfevents init writes one)"
        what = f"not set for this directory: {', '.join(facts.settings.missing)}"
        yield Finding(problem=True, what=what, cure=cure)
    if facts.endpoint.problem:
        yield Finding(problem=True, what=facts.endpoint.problem, cure=_find_cure(facts.endpoint))


def _split_message(message: str) -> Finding:
    """Splits one of our own messages: what to do follows its last colon."""
    what, colon, cure = message.rpartition(": ")
    return Finding(problem=True, what=what or message, cure=cure if colon else "")


def _find_cure(endpoint: EndpointFacts) -> str:
    if CERTIFICATE in (endpoint.problem or ""):
        return "set TFEVENTS_CA_BUNDLE to the certificates that it is signed with"
    if REFUSED_CONNECTION in (endpoint.problem or ""):
        return NO_SERVER_CURE
    return CURES.get(endpoint.kind or "", NETWORK_CURE)


def _find_warnings(facts: DoctorFacts) -> Iterator[Finding]:
    for name, suggestion in facts.settings.misspelt.items():
        what = f"{name} is not a setting: tfevents ignores it"
        yield Finding(problem=False, what=what, cure=f"is {suggestion} meant?")
    for note in facts.settings.ignored:
        cure = "set it in your own config.hcl or as a variable: README.md, Settings"
        yield Finding(problem=False, what=note, cure=cure)
    waiting = facts.waiting
    if waiting.number:
        events = "1 event waits" if waiting.number == 1 else f"{waiting.number} events wait"
        reasons = "; ".join(f"{reason} ({number})" for reason, number in waiting.reasons.items())
        what = f"{events} in the journal, since {waiting.oldest}: {reasons}"
        more = f"; for events without a workspace: {ASSIGN}" if waiting.unowned else ""
        yield Finding(problem=False, what=what, cure=FLUSH_CURE + more)
