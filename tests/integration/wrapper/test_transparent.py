"""`tf ARGS` prints the same bytes through pipes as `terraform ARGS`, and has the same exit code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from support.exhaustive import exhaustive_except
from support.twins import Said, Twins, same, twins
from support.warm import read_log

PROJECT = {
    "main.tf": """\
variable "v" { default = "d" }
resource "terraform_data" "a" { input = var.v }
resource "terraform_data" "b" { input = terraform_data.a.output }
output "o" { value = terraform_data.b.output }
"""
}


@pytest.fixture
def pair(tmp_path: Path) -> Twins:
    """Two copies of a project with two resources, of which one depends on the other."""
    return twins(tmp_path, PROJECT)


def compare(pair: Twins, line: str, stdin: bytes = b"", **env: str) -> Said:
    """Runs the command line in both copies, and asserts that the results are the same; returns that
    of `tf`."""
    return same(pair.both(*shlex.split(line), stdin=stdin, **env))


def compare_plan(pair: Twins, line: str, **env: str) -> Said:
    """As `compare`, but terraform's closing note about `-out`, which `tf` hides, may be missing."""
    theirs, ours = pair.both(*shlex.split(line), **env)
    return same((theirs.without_footer(), ours))


NOT_REPORTED = """\
version
version -json
-version
-v
--version plan

-help
--help
plan -help
apply -h x
destroy --help
plan -- -help
bogus
-bogus plan
-chdir plan
-chdir=nope version
fmt
fmt -check -diff
validate
validate -json
init -no-color
get
graph
providers
workspace list
workspace new blue
workspace show
workspace select default
workspace delete blue
workspace
state
state list
state pull
show
show -json
show nope
output
output -json
output nope
metadata functions -json
force-unlock -force bad
taint terraform_data.a
untaint terraform_data.a
test
login -help
console -help""".splitlines()


@pytest.mark.parametrize(
    "line", exhaustive_except(NOT_REPORTED, "plan -help", "init -no-color", "")
)
def test_what_is_not_reported_is_terraform(pair: Twins, line: str) -> None:
    """For a command that is not reported, tfevents prints nothing, not even on stderr."""
    assert compare(pair, line).ours == 0


def test_a_console_reads_our_stdin(pair: Twins) -> None:
    """A command that reads stdin gets everything that was written to `tf`."""
    assert compare(pair, "console", b"1+1\n").stdout == b"2\n"


@pytest.mark.exhaustive
def test_a_whole_life(pair: Twins) -> None:
    """From the first plan to the last destroy, each command gives the same as terraform does on a
    copy."""
    compare_plan(pair, "plan")
    compare(pair, "plan -out=p -no-color")
    compare(pair, "show p")
    assert compare(pair, "apply p").ours == 1
    assert compare(pair, "apply p").code == 1  # the plan is stale
    compare(pair, "output")
    assert compare(pair, "output -raw o").stdout == b"d"
    compare(pair, "state list")
    compare(pair, "show")
    compare_plan(pair, "plan -detailed-exitcode")
    compare(pair, "taint terraform_data.a")
    assert compare_plan(pair, "plan -detailed-exitcode").code == 2
    compare(pair, "untaint terraform_data.a")
    compare(pair, "apply -auto-approve -var v=x -no-color")
    compare(pair, "apply", b"yes\n")
    compare(pair, "apply -refresh-only -auto-approve")
    compare(pair, "refresh")
    compare(pair, "apply -auto-approve -replace=terraform_data.b")
    compare(pair, "apply -destroy", b"yes\n")
    compare(pair, "apply -auto-approve")
    compare(pair, "destroy", b"yes\n")
    assert b"Destroy complete! Resources: 0 destroyed." in compare(pair, "destroy").stdout


UNSAVED = [
    "plan -destroy",
    "plan -refresh-only",
    "plan -target=terraform_data.a",
    "plan -input=false -lock=false",
    "-chdir=. plan",
]


@pytest.mark.parametrize("line", exhaustive_except(UNSAVED, "-chdir=. plan"))
def test_a_plan_that_is_not_saved_lacks_its_footer_only(pair: Twins, line: str) -> None:
    """A plan without `-out` differs only in terraform's closing note on how to save a plan, because
    tfevents saves the plan to a private file."""
    assert compare_plan(pair, line).ours == 1


def test_a_configuration_that_was_generated_is_told_of(tmp_path: Path) -> None:
    """With `-generate-config-out` all of terraform's words are printed, including that a
    configuration was generated and its closing note."""
    text = 'import {\n  to = terraform_data.i\n  id = "x"\n}\n'
    pair = twins(tmp_path, {"main.tf": text})
    said = compare(pair, "plan -generate-config-out=generated.tf")
    assert b"has generated configuration and written it to generated.tf" in said.stdout
    assert (pair.ours / "generated.tf").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("line", "env"),
    [("plan -out=", {}), ('plan -out ""', {}), ("plan", {"TF_CLI_ARGS_plan": "-out="})],
)
def test_an_empty_path_of_a_plan(pair: Twins, line: str, env: dict[str, str]) -> None:
    """With an empty `-out`, as of a script whose variable is empty, every byte is terraform's, and
    the plan is reported by its core log."""
    assert compare(pair, line, **env).ours == 1
    (event,) = read_log(pair.env)["runs"][-1]["events"]
    assert event["event"]["event_type"] == "apply_needed"
    assert event["event"]["metadata"]["resource_counts"]["added"] == 2


@pytest.mark.exhaustive
def test_a_plan_where_files_may_not_grow(pair: Twins) -> None:
    """With a limit on the size of files that a plan file would exceed, a plan without `-out`
    succeeds, as terraform's does."""
    assert same(pair.shell("ulimit -f 1; $T plan")).code == 0


@pytest.mark.exhaustive
def test_plugins_that_are_not_installed(tmp_path: Path) -> None:
    """If providers are not installed, a plan still prints terraform's advice to run `terraform
    init`."""
    lock = 'provider "registry.terraform.io/hashicorp/null" {\n  version = "3.2.3"\n}\n'
    files = {"main.tf": 'resource "null_resource" "a" {}\n', ".terraform.lock.hcl": lock}
    said = compare_plan(twins(tmp_path, files), "plan")
    assert said.code == 1
    assert b"terraform init" in said.stderr


STREAMS = [
    "plan -json",
    "plan -json -out=p",
    "apply -json",
    "apply -json -auto-approve",
    "destroy -json -auto-approve",
    "refresh -json",
]


@pytest.mark.parametrize("line", exhaustive_except(STREAMS, "apply -json -auto-approve"))
def test_streams_are_terraforms(pair: Twins, line: str) -> None:
    """With the user's own `-json`, the output is terraform's, line by line."""
    compare(pair, line)


BAD_FOR_ALL = """\
--no-color
-no-color=true
--compact-warnings
-lock-timeout=bogus
-lock-timeout
-parallelism=x
-parallelism=-1
-target=bad
-target=terraform_data.a[0
-replace=module.m
-replace=terraform_data.a -destroy
-refresh-only -refresh=false
-refresh-only -destroy
-refresh=nope
-destroy=maybe
-var=foo
-var foo=1
-var
-var-file=nope
-input=maybe
-out
-allow-deferral
-exclude=terraform_data.a
-concise
-suppress-forget-errors
-invoke=action.x
-bogus
-bogus=x""".splitlines()
BAD_FOR_APPLY = """\
-out=x
-detailed-exitcode
-generate-config-out=g.tf
-json-into=x
-auto-approve=x
nope
-no-color nope
nope extra
--
-""".splitlines()


@pytest.mark.exhaustive
@pytest.mark.parametrize("flags", exhaustive_except(BAD_FOR_ALL + BAD_FOR_APPLY, "-bogus", "nope"))
def test_an_error_is_in_the_words_of_the_command_that_was_typed(pair: Twins, flags: str) -> None:
    """A wrong argument of apply or destroy gives terraform's error message for that command."""
    compare(pair, f"apply {flags}")
    compare(pair, f"destroy {flags}")


@pytest.mark.exhaustive
@pytest.mark.parametrize("flags", exhaustive_except(BAD_FOR_ALL, "-bogus"))
def test_a_plans_error_knows_nothing_of_our_flags(pair: Twins, flags: str) -> None:
    """A wrong argument of plan gives terraform's error message, without a trace of the flag that
    tfevents adds."""
    theirs, ours = pair.both("plan", *flags.split())
    same((theirs.without_footer(), ours))


OTHERS = [
    "plan x",
    "plan -chdir=.",
    "-chdir=nope plan",
    "-chdir= plan",
    "-chdir=. -chdir=. plan",
    "destroy x",
    "destroy -refresh-only",
    "destroy -destroy",
    "import",
    "import -bogus",
    "import terraform_data.z x",
    "refresh x",
    "refresh -bogus",
]


@pytest.mark.parametrize("line", exhaustive_except(OTHERS, "plan x"))
def test_other_errors_are_terraforms(pair: Twins, line: str) -> None:
    """Errors of other command lines, including those of import and refresh, are terraform's."""
    assert compare(pair, line).code == 1


FLAGS = """\
-no-color
-compact-warnings
-lock-timeout=5s
-parallelism=1
-parallelism=0x2
-target=terraform_data.a
-replace=terraform_data.a
-refresh-only
-destroy
-refresh=false
-var v=q
-input=false
-lock=0
-state=other.tfstate
-state-out=out.tfstate
-backup=b
-auto-approve=T
-auto-approve=false""".splitlines()


@pytest.mark.exhaustive
@pytest.mark.parametrize("flags", exhaustive_except(FLAGS, "-replace=terraform_data.a"))
def test_every_good_flag_of_an_apply(pair: Twins, flags: str) -> None:
    """Each flag of apply gives terraform's output, except for warnings, and leaves the same files;
    the question is answered with no."""
    pair.both("apply", "-auto-approve")
    theirs, ours = pair.both("apply", *flags.split(), "-var", "v=new", stdin=b"no\n")
    same((theirs.without_warnings(), ours.without_warnings()))
    assert files(pair.ours) == files(pair.theirs)


def files(place: Path) -> list[str]:
    """The paths of all files and directories below `place`, relative to it."""
    return sorted(str(file.relative_to(place)) for file in place.rglob("*"))


ARGUMENTS: list[tuple[str, dict[str, str]]] = [
    ("apply", {"TF_CLI_ARGS": "-no-color", "TF_CLI_ARGS_apply": "-auto-approve -var 'v=x y'"}),
    ("apply", {"TF_CLI_ARGS_apply": "-bogus"}),
    ("apply", {"TF_CLI_ARGS_apply": "'"}),
    ("apply -auto-approve", {"TF_CLI_ARGS_plan": "-bogus -out=x -var v=plan"}),
    ("apply -auto-approve -var v=own", {"TF_CLI_ARGS_apply": "-var v=env"}),
    ("apply -auto-approve", {"TF_CLI_ARGS": "-var v=a\\ b"}),
    ("apply -auto-approve", {"TF_CLI_ARGS": "-var v=a;b"}),
    ("destroy", {"TF_CLI_ARGS_destroy": "-auto-approve", "TF_CLI_ARGS_apply": "-bogus"}),
    ("destroy", {"TF_CLI_ARGS_destroy": "-out=x"}),
    ("apply -auto-approve", {"TF_VAR_v": "other", "TF_IN_AUTOMATION": "1"}),
    ("apply", {"TF_INPUT": "0"}),
    ("apply -auto-approve", {"TF_WORKSPACE": "blue"}),
    ("apply -auto-approve", {"TF_DATA_DIR": "elsewhere"}),
    ("refresh", {"TF_CLI_ARGS_refresh": "-no-color"}),
    ("version", {"TF_CLI_ARGS": "-bogus"}),
    ("plan", {"TF_CLI_ARGS": "-help"}),
    ("plan", {"TF_CLI_ARGS": "'"}),
]


@pytest.mark.parametrize(("line", "env"), exhaustive_except(ARGUMENTS, ARGUMENTS[0]))
def test_arguments_of_the_environment(pair: Twins, line: str, env: dict[str, str]) -> None:
    """TF_CLI_ARGS* and terraform's other variables have the same effect as without `tf`, and leave
    the same files."""
    compare(pair, line, **env)
    assert files(pair.ours) == files(pair.theirs)


SAVED: list[tuple[str, dict[str, str]]] = [
    ("plan", {"TF_CLI_ARGS_plan": "-out=mine"}),
    ("plan", {"TF_CLI_ARGS_plan": "-out=mine", "TF_CLI_ARGS": "-out=all"}),
    ("plan -out=own", {"TF_CLI_ARGS_plan": "-out=mine"}),
    ("plan -out own", {"TF_CLI_ARGS": "-no-color -out=all"}),
]


@pytest.mark.parametrize(("line", "env"), exhaustive_except(SAVED, SAVED[1], SAVED[3]))
def test_the_plan_is_saved_where_it_was_asked_for(
    pair: Twins, line: str, env: dict[str, str]
) -> None:
    """A plan with the user's own `-out`, also from TF_CLI_ARGS*, is saved to that file and to no
    other."""
    compare(pair, line, **env)
    assert files(pair.ours) == files(pair.theirs)


@pytest.mark.exhaustive
def test_a_plan_file_of_the_environment_is_applied(pair: Twins) -> None:
    """TF_CLI_ARGS_apply may name the plan file to apply."""
    compare(pair, "plan -out=p")
    compare(pair, "apply", TF_CLI_ARGS_apply="-no-color p")


@pytest.mark.exhaustive
def test_arguments_of_a_plan_are_read_as_terraform_reads_them(pair: Twins) -> None:
    """If TF_CLI_ARGS may be parsed differently from terraform, tfevents adds no flag, and the
    closing note is printed."""
    compare(pair, "plan", TF_CLI_ARGS="-var v='a;b'")
    compare_plan(pair, "plan", TF_CLI_ARGS="-var 'v=a b'")


@pytest.mark.exhaustive
def test_an_empty_directory_is_refused_in_the_words_of_the_command(tmp_path: Path) -> None:
    """Without configuration files the error message is terraform's for the command; an editor's
    backup files are no configuration."""
    pair = twins(tmp_path, {".main.tf": "bogus", "main.tf~": "bogus", "readme": ""})
    for line in ("plan", "apply", "apply -auto-approve", "apply -refresh-only"):
        assert b"No configuration files" in compare(pair, line).stderr
    compare(pair, "apply -destroy -auto-approve")
    compare(pair, "destroy -auto-approve")


@pytest.mark.exhaustive
def test_a_broken_configuration_is_told_once(tmp_path: Path) -> None:
    """An invalid configuration gives terraform's errors once."""
    pair = twins(tmp_path, {"main.tf": 'output "o" { value = var.nope }\n'})
    for line in ("plan", "apply -auto-approve", "destroy -auto-approve", "refresh"):
        assert compare(pair, line).code == 1


@pytest.mark.exhaustive
def test_a_directory_that_needs_init_is_told_once(tmp_path: Path) -> None:
    """In a directory that needs `init`, each command gives terraform's error once."""
    pair = twins(tmp_path, {"main.tf": 'resource "null_resource" "a" {}\n'})
    for line in (
        "plan",
        "apply -auto-approve",
        "destroy -auto-approve",
        "import null_resource.a x",
    ):
        assert compare(pair, line).code == 1


FAILING = {
    "main.tf": """\
resource "terraform_data" "a" {
  provisioner "local-exec" { command = "echo said; exit 3" }
}
resource "terraform_data" "b" { depends_on = [terraform_data.a] }
"""
}


@pytest.mark.exhaustive
def test_an_apply_that_fails_half_way(tmp_path: Path) -> None:
    """A failed apply has terraform's diagnostics and exit code, and the next plan finds the same
    state."""
    pair = twins(tmp_path, FAILING)
    for line in ("apply -auto-approve", "apply -auto-approve -no-color"):
        assert compare(pair, line).code == 1
    compare_plan(pair, "plan")
    compare(pair, "destroy -auto-approve")


DESTROYED = {
    "main.tf": """\
resource "terraform_data" "a" {
  input = "x"
  provisioner "local-exec" {
    when    = destroy
    command = "echo 'Apply complete! Resources: 0 added, 0 changed, 9 destroyed.'"
  }
}
resource "terraform_data" "b" { depends_on = [terraform_data.a] }
output "fake" {
  value = <<EOT
Apply complete! Resources: 0 added, 0 changed, 9 destroyed.

Outputs:

EOT
}
output "o" { value = terraform_data.a.output }
"""
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("flags", exhaustive_except(["", " -no-color"], ""))
def test_a_destroy_ends_with_its_own_line(tmp_path: Path, flags: str) -> None:
    """A destroy ends with terraform's "Destroy complete!" line, although provisioners and outputs
    print lines that look like a closing line."""
    pair = twins(tmp_path, DESTROYED)
    compare(pair, f"apply -auto-approve{flags}")
    theirs, ours = pair.both("destroy", "-auto-approve", "-target=terraform_data.b")
    assert same((theirs.without_warnings(), ours.without_warnings())).stdout.endswith(
        b"Destroy complete! Resources: 1 destroyed.\n\x1b[0m"
    )
    assert b"Resources: 1 destroyed." in compare(pair, f"destroy -auto-approve{flags}").stdout
    assert b"Resources: 0 destroyed." in compare(pair, f"destroy -auto-approve{flags}").stdout


CLOSING = re.compile(rb"(?m)^(Apply|Destroy) complete!")


@pytest.mark.exhaustive
def test_a_destroy_that_fails_has_no_closing_line(tmp_path: Path) -> None:
    """A failed destroy prints no closing line, and its error keeps its place where stdout and
    stderr go to the same file or pipe."""
    failing = DESTROYED["main.tf"].replace("echo ", "exit 3; echo ")
    pair = twins(tmp_path, {"main.tf": failing})
    compare(pair, "apply -auto-approve")
    assert not CLOSING.search(compare(pair, "destroy -auto-approve").stdout)
    same(pair.shell("$T destroy -auto-approve 2>&1"))
    same(pair.shell("$T destroy -auto-approve >out 2>&1; cat out"))


ANSWERS = [b"yes\n", b"no\n", b"", b"yes", b" yes\n", b"yes \r\n", b"\n"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("answer", exhaustive_except(ANSWERS, b"yes\n", b"no\n"))
@pytest.mark.parametrize(
    "line", exhaustive_except(["apply", "destroy -no-color", "apply -input=false"], "apply")
)
def test_a_piped_answer_is_understood_as_terraform_understands_it(
    pair: Twins, line: str, answer: bytes
) -> None:
    """An answer from a pipe (`echo yes | tf apply`) is accepted or refused as by terraform: with
    surrounding spaces, an incomplete line or no input."""
    pair.both("apply", "-auto-approve")
    compare(pair, f"{line} -var v=new", answer)


@pytest.mark.exhaustive
def test_a_variable_that_terraform_asks_for_is_asked_by_terraform(tmp_path: Path) -> None:
    """Terraform reads the value of a variable and then the approval from the same stdin, as without
    `tf`."""
    pair = twins(
        tmp_path,
        {"main.tf": 'variable "v" {}\nresource "terraform_data" "a" { input = var.v }\n'},
    )
    for line in ("plan", "apply", "destroy"):
        theirs, ours = pair.both(line, stdin=b"value\nyes\n")
        same((theirs.without_footer(), ours))


REDIRECTIONS = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full"]
LINES = ["plan -out=p", "apply -auto-approve", "apply", "destroy"]


@pytest.mark.parametrize("redirection", exhaustive_except(REDIRECTIONS, "<&- >&- 2>&-"))
@pytest.mark.parametrize("line", exhaustive_except(LINES, "apply -auto-approve"))
def test_streams_that_are_closed_or_full(pair: Twins, line: str, redirection: str) -> None:
    """If standard streams are closed or full, exit code and state are terraform's, and no file of
    tfevents takes a closed stream's file descriptor."""
    same(pair.shell(f"$T {line} {redirection}; echo $?; $T state list"))


@pytest.mark.exhaustive
def test_a_reader_that_stops_reading(pair: Twins) -> None:
    """`| head -1` ends `tf` as it ends terraform."""
    theirs, ours = pair.shell("{ $T plan; echo $? >&2; } | head -1")
    assert (ours.stdout, ours.code) == (theirs.stdout, theirs.code)
    theirs, ours = pair.shell("$T version | head -1")
    same((theirs, ours))


@pytest.mark.exhaustive
def test_stdout_in_a_file(pair: Twins) -> None:
    """A file that stdout is redirected to has only terraform's output."""
    same(pair.shell("$T apply -auto-approve >out; cat out"))
