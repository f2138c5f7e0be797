"""`tfevents doctor` names the cause of a problem and its remedy in the first two lines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.command import Tfevents
from support.endpoint import Endpoint, Rules
from support.engines import terraform

SECRET = "canary"
KEY = f"pat.acc.token.{SECRET}"
PLACES = frozenset({("default", "infra", "prod")})


@pytest.fixture
def patient(tfevents: Tfevents) -> Tfevents:
    """`tfevents` with a real terraform and all settings but TFEVENTS_URL; each test opens its own
    server."""
    tfevents.provisioner(f'exec {terraform()} "$@"')
    tfevents.env |= {
        "TFEVENTS_API_KEY": KEY,
        "TFEVENTS_ORG": "default",
        "TFEVENTS_PROJECT": "infra",
        "TFEVENTS_WORKSPACE": "prod",
    }
    return tfevents


def diagnose(patient: Tfevents, endpoint: Endpoint | None = None) -> list[str]:
    """The lines that `doctor` prints when runs would not be reported; asserts exit code 1."""
    if endpoint:
        patient.env["TFEVENTS_URL"] = endpoint.url
    done = patient.run("doctor")
    assert (done.returncode, done.stderr) == (1, b"")
    assert SECRET.encode() not in done.stdout
    return done.stdout.decode().splitlines()


def test_all_is_well(patient: Tfevents) -> None:
    """With correct settings, `doctor` says that runs are reported; it sends the server a request
    with the API key that records no event."""
    with Endpoint(Rules(api_key=KEY, account="acc", workspaces=PLACES)) as endpoint:
        patient.env["TFEVENTS_URL"] = endpoint.url
        told = patient.ok("doctor")
        document = patient.json("doctor", "--json")
        assert endpoint.events == []
        assert len(endpoint.requests) == 2
    assert told.splitlines()[0] == "a run here is reported"
    assert document["reported"] is True
    assert document["findings"] == []
    assert document["facts"]["metadata"]["provisioner"] == "terraform"
    sources = {one["name"]: one["source"] for one in document["facts"]["settings"]["found"]}
    assert sources["workspace"] == "TFEVENTS_WORKSPACE"
    assert SECRET not in told + str(document)


def test_no_key(patient: Tfevents) -> None:
    """`doctor` reports a missing API key and names the variable to set."""
    del patient.env["TFEVENTS_API_KEY"]
    lines = diagnose(patient)
    assert lines[0] == "problem: no API key is set"
    assert "set TFEVENTS_API_KEY" in lines[1]


def test_a_wrong_key(patient: Tfevents) -> None:
    """`doctor` reports an API key that the server refuses."""
    with Endpoint(Rules(api_key="pat.acc.token.another")) as endpoint:
        lines = diagnose(patient, endpoint)
    assert lines[0].startswith("problem: the server does not take this API key: 401")
    assert "make a new key" in lines[1]


def test_a_wrong_workspace(patient: Tfevents) -> None:
    """`doctor` reports a workspace that the server does not know."""
    patient.env["TFEVENTS_WORKSPACE"] = "prdo"
    with Endpoint(Rules(workspaces=PLACES)) as endpoint:
        lines = diagnose(patient, endpoint)
    assert lines[0].startswith("problem: no such place, ")
    assert "prdo" in lines[0]
    assert "check TFEVENTS_ORG, TFEVENTS_PROJECT and TFEVENTS_WORKSPACE" in lines[1]


def test_no_terraform(patient: Tfevents) -> None:
    """`doctor` reports that no terraform or tofu is on PATH."""
    patient.env["PATH"] = "/nonexistent"
    with Endpoint() as endpoint:
        lines = diagnose(patient, endpoint)
    assert lines[0] == "problem: no terraform or tofu on PATH"
    assert "install one" in lines[1]


def test_an_endpoint_that_nobody_knows(patient: Tfevents) -> None:
    """`doctor` reports a host name in TFEVENTS_URL that can't be resolved."""
    patient.env["TFEVENTS_URL"] = "https://nowhere.invalid"
    lines = diagnose(patient)
    assert lines[0].startswith("problem: no connection to nowhere.invalid")
    assert "check TFEVENTS_URL, the name server and HTTPS_PROXY" in lines[1]


def test_an_endpoint_where_nobody_listens(patient: Tfevents) -> None:
    """`doctor` reports that the server refuses the connection."""
    with Endpoint() as endpoint:
        pass
    lines = diagnose(patient, endpoint)
    assert lines[0].endswith("connection refused")
    assert lines[1] == "    see that a server listens there, and check TFEVENTS_URL"


def test_reporting_is_switched_off(patient: Tfevents) -> None:
    """TFEVENTS_DISABLED is a problem for `doctor`, although everything else is correct."""
    patient.env["TFEVENTS_DISABLED"] = "1"
    with Endpoint() as endpoint:
        lines = diagnose(patient, endpoint)
    assert lines[0] == "problem: TFEVENTS_DISABLED switches reporting off"
    assert "unset" in lines[1]


def test_a_misspelt_variable(patient: Tfevents) -> None:
    """A misspelt TFEVENTS_ variable is a warning, not a problem, because the setting's default may
    be right."""
    patient.env |= {"TFEVENTS_WORKSPCE": SECRET, "TFEVENTS_METADATA_GIT_BRANCH": "main"}
    patient.env |= {"TFEVENTS_UNRELATED_NAME": "1"}
    with Endpoint() as endpoint:
        patient.env["TFEVENTS_URL"] = endpoint.url
        told = patient.ok("doctor")
    assert told.splitlines()[:3] == [
        "a run here is reported",
        "warning: TFEVENTS_WORKSPCE is not a setting: tfevents ignores it",
        "    is TFEVENTS_WORKSPACE meant?",
    ]
    assert told.count("warning: ") == 1
    assert SECRET not in told


def test_an_unknown_certificate(patient: Tfevents) -> None:
    """`doctor` reports a certificate that is not trusted, and accepts it with
    TFEVENTS_CA_BUNDLE."""
    with Endpoint(tls="127.0.0.1") as endpoint:
        lines = diagnose(patient, endpoint)
        assert "its certificate is not trusted" in lines[0]
        assert "set TFEVENTS_CA_BUNDLE" in lines[1]
        patient.env["TFEVENTS_CA_BUNDLE"] = str(endpoint.ca_bundle)
        assert patient.ok("doctor").startswith("a run here is reported\n")


def test_a_home_that_can_not_be_written(patient: Tfevents, tmp_path: Path) -> None:
    """`doctor` reports a home directory that can't be created; its parent is a file here, which
    stops root, too."""
    (tmp_path / "file").write_text("")
    patient.env["TFEVENTS_HOME"] = str(tmp_path / "file" / "home")
    with Endpoint() as endpoint:
        lines = diagnose(patient, endpoint)
    assert lines[0].startswith("problem: ")
    assert str(tmp_path / "file" / "home") in lines[0]
    assert "set TFEVENTS_HOME" in lines[1]


def test_a_home_of_somebody_else(patient: Tfevents) -> None:
    """`doctor` reports a home directory of another user or, where the test is not run by root, one
    that others can write to."""
    patient.home.mkdir(parents=True)
    if os.getuid() == 0:
        os.chown(patient.home, 65534, 65534)
    else:
        patient.home.chmod(0o777)
    with Endpoint() as endpoint:
        lines = diagnose(patient, endpoint)
    assert str(patient.home) in lines[0]
    assert "another user" in lines[0] or "others can write" in lines[0]
    assert "set TFEVENTS_HOME to a directory that is yours alone" in lines[1]


def test_settings_in_the_wrong_file(patient: Tfevents) -> None:
    """A `url` in a checkout's settings file is not used, because a checkout may not choose where
    the API key is sent; `doctor` warns about it."""
    (patient.cwd / ".tfevents.hcl").write_text('harness {\n  url = "https://evil.example"\n}\n')
    with Endpoint() as endpoint:
        patient.env["TFEVENTS_URL"] = endpoint.url
        lines = patient.ok("doctor").splitlines()
    assert lines[0] == "a run here is reported"
    assert lines[1].startswith("warning: ")
    assert ".tfevents.hcl" in lines[1]
    assert "url" in lines[1]
    assert "config.hcl" in lines[2]


def test_a_backlog_that_waits(patient: Tfevents) -> None:
    """`doctor` warns about pending events: since when they wait, why, and which command sends
    them."""
    patient.put("a", "b")
    with Endpoint() as endpoint:
        patient.env["TFEVENTS_URL"] = endpoint.url
        lines = patient.ok("doctor").splitlines()
        assert endpoint.events == []
    assert lines[1].startswith("warning: 2 events wait in the journal, since 20")
    assert "no TFEVENTS_API_KEY is set" in lines[1]
    assert "tfevents flush" in lines[2]


def test_a_backlog_that_is_nobodys(patient: Tfevents) -> None:
    """Events of a run without a workspace wait for `flush --assign`; a workspace that is set now
    does not apply to them."""
    del patient.env["TFEVENTS_WORKSPACE"]
    patient.put("a")
    patient.env["TFEVENTS_WORKSPACE"] = "prod"
    with Endpoint() as endpoint:
        patient.env["TFEVENTS_URL"] = endpoint.url
        lines = patient.ok("doctor").splitlines()
    assert "no workspace for" in lines[1]
    assert "tfevents flush --assign WORKSPACE" in lines[2]


def test_a_backlog_in_the_fallback_journal(patient: Tfevents, tmp_path: Path) -> None:
    """`doctor` also counts the pending events of the fallback journal, whether or not home can be
    used."""
    (tmp_path / "file").touch()
    patient.env["TMPDIR"] = str(tmp_path)
    usable = patient.env.copy()
    patient.env["TFEVENTS_HOME"] = str(tmp_path / "file" / "home")
    patient.put("a")
    with Endpoint() as endpoint:
        lines = diagnose(patient, endpoint)
        assert any(line.startswith("warning: 1 event waits in the journal") for line in lines)
        patient.env = {**usable, "TFEVENTS_URL": endpoint.url}
        assert patient.ok("doctor").splitlines()[1] in lines


def test_several_things_at_once(patient: Tfevents) -> None:
    """`doctor` prints all problems and warnings, problems first."""
    patient.put("a")
    del patient.env["TFEVENTS_API_KEY"], patient.env["TFEVENTS_WORKSPACE"]
    (patient.cwd / ".tfevents.hcl").write_text("wrong = 1\n")
    lines = diagnose(patient)
    kinds = [line.partition(":")[0] for line in lines]
    told = [kind for kind in kinds if kind in ("problem", "warning")]
    assert told == ["problem", "problem", "warning"]
    assert any("set TFEVENTS_WORKSPACE, or name it in .tfevents.hcl" in line for line in lines)
