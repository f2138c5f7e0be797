"""The build that each vendor's documented environments give, and which vendor claims them."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from msgspec.structs import asdict
from support.ci_samples.sample import Sample

from tfevents.context import ci
from tfevents.context.ci import Build

NAMES = list(ci.VENDORS)
MODULES = {name: importlib.import_module(f"tfevents.context.ci.{name}") for name in NAMES}
SAMPLES: list[tuple[str, Sample]] = [
    (name, sample)
    for name in NAMES
    for sample in importlib.import_module(f"support.ci_samples.{name}").SAMPLES
]
FIRST = {name: sample.env for name, sample in reversed(SAMPLES)}

HOSTS = ("atlantis", "spacelift", "scalr", "env0", "hcp_terraform", "terrateam", "digger")
JOBS = [name for name in NAMES if name not in HOSTS]
RUNNERS = ("woodpecker", "drone", "github", "gitlab", "azure", "circleci", "buildkite", "teamcity")

# The first of each pair runs inside the second, or sets its variables too, and must win.
SHADOWS = [
    *((host, job) for host in HOSTS for job in JOBS),
    *((host, "hcp_terraform") for host in ("spacelift", "scalr", "env0")),
    *(("harness", name) for name in ("drone", "github", "gitlab", "jenkins", "codebuild")),
    *(("woodpecker", name) for name in ("drone",)),
    *(("forgejo", name) for name in ("gitea", "github")),
    *(("gitea", name) for name in ("github",)),
    # a Jenkins job may have started the other vendor's runner
    *((runner, "jenkins") for runner in RUNNERS),
    *((name, "codebuild") for name in ("github", "gitlab", "buildkite")),
    *((name, "cloudbuild") for name in ("jenkins", "gitlab", "codefresh")),
    *((name, "generic") for name in JOBS if name != "generic"),
]


def ids(sample: tuple[str, Sample]) -> str:
    return f"{sample[0]}: {sample[1].name}"


@pytest.mark.parametrize("named", SAMPLES, ids=ids)
def test_a_documented_environment_says_exactly_this(named: tuple[str, Sample]) -> None:
    """Every field of the build is what ci.md derives from the documented variables; no other field
    is set."""
    _, sample = named
    assert ci.find_build(sample.env, sample.files.get) == sample.build


@pytest.mark.parametrize("named", SAMPLES, ids=ids)
def test_only_a_declared_neighbour_claims_the_same_environment(named: tuple[str, Sample]) -> None:
    """The vendor itself is the first that claims its sample; any other that claims it is listed in
    SHADOWS."""
    name, sample = named
    claimants = [other for other in NAMES if MODULES[other].claims(sample.env)]
    assert claimants[0] == name
    assert {(name, other) for other in claimants[1:]} <= set(SHADOWS)


@pytest.mark.parametrize(("first", "second"), SHADOWS)
def test_the_first_of_two_that_share_an_environment_wins(first: str, second: str) -> None:
    """In an environment that both vendors of a pair claim, the build is that of the first."""
    both = {**FIRST[second], **FIRST[first]}
    assert MODULES[first].claims(both)
    assert MODULES[second].claims({"CI": "true", **FIRST[second]})
    build = ci.find_build(both, lambda path: None)
    assert build is not None
    assert build.vendor == next(s.build.vendor for n, s in SAMPLES if n == first)


@pytest.mark.parametrize("name", NAMES)
def test_a_vendor_never_claims_without_the_variables_it_is_listed_with(name: str) -> None:
    """A vendor claims no environment in which none of its variables in VENDORS is set: its module
    is not even imported then."""
    for other in SAMPLES:
        rest = {k: v for k, v in other[1].env.items() if k not in ci.VENDORS[name]}
        assert not MODULES[name].claims(rest)


def test_every_module_that_claims_is_listed() -> None:
    """Every module with a `claims` function is in VENDORS; otherwise it would never be imported."""
    files = Path(ci.__file__).parent.glob("*.py")
    assert {file.stem for file in files if "\ndef claims(" in file.read_text()} == set(NAMES)


def test_every_vendor_has_samples() -> None:
    """Every vendor has at least two samples."""
    counts = {name: sum(n == name for n, _ in SAMPLES) for name in NAMES}
    assert {name: count for name, count in counts.items() if count < 2} == {}


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"CI": ""},
        {"CI": "false"},
        {"CI": "0"},
        {"BUILD_ID": "7", "BUILD_NUMBER": "7", "GIT_BRANCH": "main"},
        {"PROJECT_ID": "my-project", "BUILD_ID": ""},
        {"PROJECT_ID": "my-project", "COMMIT_SHA": "ce9a3c1"},
        {"JENKINS_URL": "https://jenkins.example.com/"},
        {"HARNESS_ACCOUNT_ID": "a", "HARNESS_API_KEY": "pat.a.b.c", "HARNESS_WORKSPACE": "/h"},
        {"GITHUB_ACTIONS": "false", "GITHUB_REPOSITORY": "a/b"},
        {"GITHUB_TOKEN": "x", "GITLAB_TOKEN": "x", "GITHUB_ACTIONS": ""},
        {"DRONE": "", "TRAVIS": "no", "TF_BUILD": "x", "APPVEYOR": "x"},
        {"TRAVIS": "false", "CIRCLECI": "false", "BUILDKITE": "false", "CIRRUS_CI": "false"},
        {"ATLANTIS_GH_USER": "a", "PULL_NUM": "2", "WORKSPACE": "default"},
        {"SCALR_TOKEN": "x", "ENV0_API_KEY": "x", "TFC_TOKEN": "x", "SPACELIFT_API_KEY_ID": "x"},
        {"DIGGER_TOKEN": "x", "TERRATEAM_GITHUB_TOKEN": "x"},
        {"ENV0_API_KEY": "x", "ENV0_PROJECT_ID": "b1f7fb5c", "ENV0_ENVIRONMENT_ID": "788525fb"},
        {"HARNESS_PIPELINE_ID": "deploy", "HARNESS_ACCOUNT_ID": "a", "HARNESS_ORG_ID": "default"},
        {"CODEBUILD_SRC_DIR": "/tmp", "AWS_REGION": "us-east-1"},
    ],
    ids=str,
)
def test_a_name_that_others_use_makes_no_vendor(env: dict[str, str]) -> None:
    """Outside of CI no vendor claims an environment, whatever tokens and settings it has."""
    assert ci.find_build(env, lambda path: None) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_marker_alone_is_enough_to_answer(name: str) -> None:
    """In an empty environment, a vendor's module sets the vendor's name, perhaps the trigger's
    type, and no other field."""
    build = MODULES[name].read_build({}, lambda path: None)
    known = {field: value for field, value in asdict(build).items() if value}
    known.pop("trigger_type", None)
    assert set(known) == {"vendor"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "value",
    ["", " ", "\udcff", "\x00", "{", "[]", "refs/", "%", "@:/", "\u202e", "true", "7" * 100_000],
    ids=lambda value: ascii(value)[:12],
)
def test_a_hostile_environment_never_raises(name: str, value: str) -> None:
    """Whatever all variables and files of a job hold, a build is made, and its texts are
    printable."""
    env = dict.fromkeys({key for n, s in SAMPLES if n == name for key in s.env}, value)
    document = value.encode(errors="surrogateescape")
    build = ci.sanitize_build(MODULES[name].read_build(env, lambda path: document))
    texts = [field.replace("\n", "") for field in asdict(build).values() if isinstance(field, str)]
    assert all(field.isprintable() for field in texts)


def test_the_trigger_leaves_out_what_is_unknown() -> None:
    """`trigger` has only the fields that are known, all of them texts."""
    full = Build(vendor="v", trigger_type="push", actor="a", url="u", pull_request="1", branch="b")
    assert full.trigger() == {
        "vendor": "v",
        "type": "push",
        "actor": "a",
        "url": "u",
        "pull_request": "1",
    }
    assert Build(vendor="ci").trigger() == {"vendor": "ci"}
    assert Build().trigger() == {}
