"""How terraform's command line is parsed, and whether that is certain to be terraform's own
reading."""

from __future__ import annotations

import pytest

from tfevents.terraform.arguments import Arguments, Mode, parse_arguments


def asked(*argv: str, **env: str) -> Arguments:
    """The parsed command line, which must be one that is reported."""
    found = parse_arguments(argv, env)
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
    """A command line that is not reported is None: terraform handles it alone."""
    assert parse_arguments(argv, {}) is None


@pytest.mark.parametrize("words", ["'", '"x', "-var 'a"])
def test_bad_quoting_is_left_to_terraform(words: str) -> None:
    """Broken quotes in TF_CLI_ARGS are left to terraform, which prints its own error."""
    assert parse_arguments(("plan",), {"TF_CLI_ARGS": words}) is None


def test_a_quote_of_one_variable_does_not_end_in_the_other() -> None:
    """Each of the TF_CLI_ARGS* variables is parsed on its own."""
    assert parse_arguments(("plan",), {"TF_CLI_ARGS": "'", "TF_CLI_ARGS_plan": "'"}) is None


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
    """`-out` may have one or two dashes and its value behind = or as the next word; the last one
    wins, and none counts behind the end of the flags."""
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
    """The words of TF_CLI_ARGS_plan, then those of TF_CLI_ARGS, are inserted directly behind the
    subcommand, so the command line's own flags win."""
    assert asked("plan", *own, **env).value("out") == out


@pytest.mark.parametrize("words", ["-out=a;b", "-var a=$x", "-out=a\\ b", "`x`", "a|b", "-out=(a)"])
def test_what_the_shell_words_reader_reads_its_own_way_is_not_sure(words: str) -> None:
    """TF_CLI_ARGS* that terraform may split differently than we do are not marked as parsed
    exactly."""
    found = asked("apply", TF_CLI_ARGS=words)
    assert not found.parsed_exactly


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
    """The last flag for the mode wins; its value is a boolean as Go parses it."""
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
    """The saved plan is the first word behind the flags; `-no-color` may stand anywhere and is no
    flag's value."""
    assert asked("apply", *words).plan_file == plan_file


def test_a_saved_plan_may_stand_in_the_environment() -> None:
    """TF_CLI_ARGS_apply may contain the saved plan's path."""
    assert asked("apply", TF_CLI_ARGS_apply="-input=false p").plan_file == "p"


def test_the_last_directory_counts() -> None:
    """The last -chdir counts, as in terraform, which then refuses the others."""
    assert asked("-chdir=a", "-chdir=b", "plan").chdir == "b"
    assert asked("plan").chdir == "."


def test_ours_stand_before_the_users() -> None:
    """Our own flag is inserted before the user's, so that the user's flags win and a path stays
    behind the flags."""
    found = asked("-chdir=d", "plan", "-input=false", TF_CLI_ARGS="-no-color")
    assert found.with_flag("-out=/p") == ["-chdir=d", "plan", "-out=/p", "-input=false"]
