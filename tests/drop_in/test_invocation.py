"""What a command line asks for, and when it may be split."""

from __future__ import annotations

import pytest

from tfevents.invocation import Invocation, parse
from tfevents.plan import Mode


def asked(*argv: str, **env: str) -> Invocation:
    found = parse(argv, env)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("version",),
        ("-version",),
        ("-help",),
        ("-version", "plan"),
        ("",),
        ("", "plan"),
        ("PLAN",),
        ("-chdir", "x", "plan"),
        ("-bogus", "plan"),
        ("state", "list"),
    ],
)
def test_what_is_not_reported_is_nobodys_invocation(argv: tuple[str, ...]) -> None:
    """Terraform alone sees to it, in its own words."""
    assert parse(argv, {}) is None


@pytest.mark.parametrize("words", ["'", '"x', "-var 'a"])
def test_bad_quoting_is_left_to_terraform(words: str) -> None:
    """Terraform has an error of its own for an environment that can't be read."""
    assert parse(("plan",), {"TF_CLI_ARGS": words}) is None


def test_a_quote_of_one_variable_does_not_end_in_the_other() -> None:
    """Each variable is read by itself."""
    assert parse(("plan",), {"TF_CLI_ARGS": "'", "TF_CLI_ARGS_plan": "'"}) is None


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("-out=p",), "p"),
        (("--out=p",), "p"),
        (("-out", "p"), "p"),
        (("--out", "p"), "p"),
        (("-out=p", "-out=q"), "q"),
        (("-out=",), ""),
        (("-out",), None),
        (("-out", "-no-color"), None),
        (("-var", "-out=p"), None),
        (("x", "-out=p"), None),
        (("--", "-out=p"), None),
        (("-input=false", "-out=a b"), "a b"),
    ],
)
def test_out_is_found_as_terraform_finds_it(words: tuple[str, ...], out: str | None) -> None:
    """Both dashes, both ways to give a value, the last one wins, nothing behind the flags."""
    assert asked("plan", *words).value("out") == out


@pytest.mark.parametrize(
    ("env", "own", "out"),
    [
        ({"TF_CLI_ARGS": "-out=all"}, (), "all"),
        ({"TF_CLI_ARGS_plan": "-out=mine"}, (), "mine"),
        ({"TF_CLI_ARGS": "-out=all", "TF_CLI_ARGS_plan": "-out=mine"}, (), "all"),
        ({"TF_CLI_ARGS": "-out=all"}, ("-out=own",), "own"),
        ({"TF_CLI_ARGS_apply": "-out=other"}, (), None),
        ({"TF_CLI_ARGS": "-out='a b'"}, (), "a b"),
    ],
)
def test_the_environments_arguments_stand_before_the_users(
    env: dict[str, str], own: tuple[str, ...], out: str | None
) -> None:
    """Each is put right behind the subcommand: the command's own, then the general ones."""
    assert asked("plan", *own, **env).value("out") == out


@pytest.mark.parametrize("words", ["-out=a;b", "-var a=$x", "-out=a\\ b", "`x`", "a|b", "-out=(a)"])
def test_what_the_shell_words_reader_reads_its_own_way_is_not_sure(words: str) -> None:
    """Where our reading may not be terraform's, nothing is added and nothing is split."""
    found = asked("apply", TF_CLI_ARGS=words)
    assert not found.sure
    assert not found.splits


@pytest.mark.parametrize(
    ("argv", "mode"),
    [
        (("plan",), Mode.NORMAL),
        (("plan", "-destroy"), Mode.DESTROY),
        (("plan", "--destroy=1"), Mode.DESTROY),
        (("plan", "-destroy=false"), Mode.NORMAL),
        (("plan", "-destroy", "-destroy=0"), Mode.NORMAL),
        (("plan", "-refresh-only=T"), Mode.REFRESH_ONLY),
        (("destroy",), Mode.DESTROY),
        (("apply", "-destroy"), Mode.DESTROY),
        (("apply", "x", "-destroy"), Mode.NORMAL),
    ],
)
def test_the_mode_is_the_last_word_on_it(argv: tuple[str, ...], mode: Mode) -> None:
    """Booleans as Go reads them."""
    assert asked(*argv).mode is mode


@pytest.mark.parametrize(
    ("words", "plan_file"),
    [
        ((), None),
        (("p",), "p"),
        (("-no-color", "p"), "p"),
        (("p", "-no-color"), "p"),
        (("-auto-approve", "--", "-p"), "-p"),
        (("-var", "a=b", "p"), "p"),
        (("-var=a=b", "p"), "p"),
        (("-", "p"), "-"),
        (("-parallelism", "3", "p"), "p"),
    ],
)
def test_a_saved_plan_is_the_first_word_behind_the_flags(
    words: tuple[str, ...], plan_file: str | None
) -> None:
    """`-no-color` is taken anywhere and is no flag's value."""
    assert asked("apply", *words).plan_file == plan_file


def test_a_saved_plan_may_stand_in_the_environment() -> None:
    """TF_CLI_ARGS_apply may hold the path itself."""
    assert asked("apply", TF_CLI_ARGS_apply="-input=false p").plan_file == "p"


def test_the_last_directory_counts() -> None:
    """As in terraform, which then refuses the others."""
    assert asked("-chdir=a", "-chdir=b", "plan").chdir == "b"
    assert asked("plan").chdir == "."


@pytest.mark.parametrize(
    ("words", "color"),
    [((), True), (("-no-color",), False), (("p", "-no-color"), False), (("--no-color",), True)],
)
def test_colour_goes_by_one_very_word(words: tuple[str, ...], color: bool) -> None:
    """`--no-color` and `-no-color=true` are errors to terraform."""
    assert asked("apply", *words).color is color


GOOD = [
    "",
    "-auto-approve",
    "-auto-approve=T",
    "-no-color -compact-warnings",
    "-input=false -lock=0",
    "-lock-timeout=5s",
    "-lock-timeout=1h30m",
    "-parallelism=3",
    "-parallelism 30",
    "-var a=b -var=c -var-file=x -var-file y",
    "-target=terraform_data.a",
    "-target=module.m",
    '-target=module.m[0].module.n["k"]',
    "-target=data.x.y",
    '-target=module.m["a.b"].terraform_data.a[3]',
    "-replace=terraform_data.a -replace module.m.terraform_data.b[0]",
    "-destroy",
    "-refresh=false",
    "-refresh-only",
    "-state=x -state-out=y -backup=-",
    "-exclude=terraform_data.a",
    "-concise",
]


@pytest.mark.parametrize("words", GOOD)
def test_what_both_halves_take_is_split(words: str) -> None:
    """Every flag is known and every value is certainly right."""
    assert asked("apply", *words.split()).splits


BAD = [
    "p",
    "-bogus",
    "-out=x",
    "-detailed-exitcode",
    "-generate-config-out=g",
    "-json-into=x",
    "--no-color",
    "-no-color=true",
    "--compact-warnings",
    "-lock=maybe",
    "-auto-approve=x",
    "-lock-timeout=5",
    "-lock-timeout=",
    "-lock-timeout",
    "-parallelism=0",
    "-parallelism=-1",
    "-parallelism=08",
    "-parallelism=x",
    "-parallelism=²",
    "-var",
    "-target=",
    "-target=bad",
    "-target=a.b.c",
    "-target=a.b[0",
    "-target=module",
    "-target=data.x",
    '-target=a.b["${x}"]',
    "-replace=module.m",
    "-replace=data.x.y",
    "-refresh-only -refresh=false",
    "-refresh-only -destroy",
    "-consolidate-warnings",
    "-show-sensitive",
    "-suppress-forget-errors",
    "-deprecation=x",
    "-minimal-refresh",
    "-target-file=x",
    "-allow-deferral",
]


@pytest.mark.parametrize("words", BAD)
def test_what_terraform_may_have_something_to_say_about_is_not_split(words: str) -> None:
    """The plan half would name the wrong command in its help, or take what apply refuses."""
    assert not asked("apply", *words.split()).splits


@pytest.mark.parametrize("words", ["-destroy", "-refresh-only", "-destroy=false"])
def test_a_destroy_with_a_mode_is_not_split(words: str) -> None:
    """Terraform refuses it in its own words."""
    assert not asked("destroy", words).splits
    assert asked("apply", words).splits


@pytest.mark.parametrize(
    ("words", "since"),
    [("", None), ("-exclude=a.b", (1, 9)), ("-concise", (1, 7)), ("-concise -exclude=a.b", (1, 9))],
)
def test_some_flags_are_only_some_opentofus(words: str, since: tuple[int, int] | None) -> None:
    """Terraform would refuse them with the plan half's help."""
    assert asked("apply", *words.split()).opentofu == since


def test_each_half_gets_the_options_that_it_takes() -> None:
    """Planning options to the plan, variables to both where both want them, the rest to both."""
    given = (
        "-chdir=d apply -auto-approve -var a=b -target=x.y -replace=x.z -refresh=false"
        " -parallelism=3 -lock=false -input=false -state=s -no-color"
    )
    found = asked(*given.split(), TF_CLI_ARGS_apply="-lock-timeout=3s")
    planned = (
        "-chdir=d plan -out=/p -detailed-exitcode -no-color -lock-timeout=3s -var a=b"
        " -target=x.y -replace=x.z -refresh=false -parallelism=3 -lock=false -input=false -state=s"
    )
    assert " ".join(found.plan_half("/p")) == planned
    applied = "-no-color -lock-timeout=3s{} -parallelism=3 -lock=false -input=false -state=s /p"
    wanted = f"-chdir=d apply {applied}"
    assert found.apply_half("/p", variables=True) == wanted.format(" -var a=b").split()
    assert found.apply_half("/p", variables=False) == wanted.format("").split()


def test_a_destroys_plan_half_plans_a_destroy() -> None:
    """And its apply half says nothing of it."""
    found = asked("destroy", "-auto-approve")
    assert found.plan_half("/p") == ["plan", "-out=/p", "-detailed-exitcode", "-destroy"]
    assert found.apply_half("/p", variables=True) == ["apply", "/p"]


def test_ours_stand_before_the_users() -> None:
    """So that the user's own win, and a path stays behind the flags."""
    found = asked("-chdir=d", "plan", "-input=false", TF_CLI_ARGS="-no-color")
    assert found.with_flag("-out=/p") == ["-chdir=d", "plan", "-out=/p", "-input=false"]
