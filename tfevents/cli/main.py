"""tfevents' own commands, and the one place that ends them.

Each command's story is a module of its own, imported when the command runs.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

import click

from tfevents import __version__
from tfevents.errors import ProvisionerNotFound, TfeventsError
from tfevents.terminal import printable, say

EVENT_TYPES = (
    *("plan", "drifted", "provisioning", "destroying", "active", "inactive"),
    *("apply_needed", "failed", "stage-complete"),
)
ACTIVITY_TYPES = ("apply", "destroy", "plan", "drifted", "import")
ACTIVITY_STATUSES = ("success", "failure")
"""The contract's enums: tests/cli/test_cli_help.py holds them against the packaged schema."""

INTERRUPTED, BROKEN_PIPE = 130, 141


def main() -> int:
    """`tfevents`: whatever goes wrong is one line on stderr."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal may be ASCII
    try:
        words = _spelled(sys.argv[1:])
        exit_code = tfevents.main(words, prog_name="tfevents", standalone_mode=False) or 0
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # click's own way to say that nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # the last door: no traceback for those who can't use one
        if os.environ.get("TFEVENTS_DEBUG") == "1":
            raise
        return _complain(error) if sys.argv[1:2] != ["hook"] else _complain_hooked(error)
    return int(exit_code)


def _spelled(words: list[str]) -> list[str]:
    """`help`, `help COMMAND` and `version`, as other programs have them, terraform among them."""
    if words[:1] in (["help"], ["-help"]):
        return [*words[1:2], "--help"]
    return ["--version"] if words in (["version"], ["-version"]) else words


def bare() -> NoReturn:
    """From the front, which starts Python without what it looks up for everybody."""
    from tfevents.wrapper.main import Elsewhere

    sys.meta_path.append(Elsewhere)
    sys.exit(main())


def _complain(error: Exception) -> int:
    """One line, and the code to leave with."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    text, exit_code = _words(error)
    say(text)
    return exit_code


def _complain_hooked(error: Exception) -> int:
    """A hook that is called or set wrongly does not stop somebody else's run (design §5)."""
    from tfevents.hosts.hook import exit_code

    _complain(error)
    return exit_code("".join(sys.argv[2:3]), delivered=False, env=os.environ)


def _words(error: Exception) -> tuple[str, int]:
    if isinstance(error, TfeventsError):
        return str(error), error.exit_code
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "tfevents"
        return f"{error.format_message()} (see: {command} --help)", error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, click.Abort):
        return "interrupted", INTERRUPTED
    if isinstance(error, OSError):
        return f"{error.filename or 'the working directory'}: {error.strerror}", 1
    return f"{type(error).__name__} (a bug: TFEVENTS_DEBUG=1 shows where)", 1


def _set_cost_file(
    context: click.Context, parameter: click.Parameter, path: str | None
) -> str | None:
    """A flag is stronger than the variable, and the run reads that."""
    if path:
        os.environ["TFEVENTS_COST_FILE"] = path
    return path


_cost_file = click.option(
    "--cost-file",
    type=click.Path(),
    metavar="FILE",
    expose_value=False,
    callback=_set_cost_file,
    help="Infracost's JSON: cost goes with the events.",
)


@click.command(context_settings={"allow_interspersed_args": False})
@_cost_file
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="BINARY ...")
def run(command: tuple[str, ...]) -> int:
    """Run the BINARY that is named, as `tf` would.

    Everything behind BINARY is its own: tfevents run -- terraform plan -out=p
    """
    from tfevents.terraform import binary
    from tfevents.wrapper import main as tf

    name, *arguments = command
    try:
        path = binary.find(os.environ, sys.argv[0], name)
    except ProvisionerNotFound:
        raise ProvisionerNotFound(
            f"run: there is no program {name!r}: name terraform or tofu, or a path to it"
        ) from None
    try:
        return tf.run(arguments, path)
    except binary.NotExecutable as error:
        return tf.complain(f"can't run {path}: {error.strerror}", 126)


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def count(file: str, as_json: bool) -> None:
    """Count a plan or a state.

    FILE is a plan file, plan JSON or state JSON; - reads any of these from stdin.
    """
    from tfevents.readers import counting

    engines = counting.find_engines(os.environ, sys.argv[0])
    if file == "-":
        account = counting.count_stream(sys.stdin.buffer.read, "standard input", engines)
    else:
        account = counting.count_file(file, engines)
    if as_json:
        return _write_json(account.as_json())
    account.table().show()
    click.echo(printable(account.words()))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option(
    "-n", "limit", type=click.IntRange(1, 10_000), default=20, help="How many runs.  [default: 20]"
)
def log(as_json: bool, limit: int) -> None:
    """Show the latest runs and their events.

    The newest are last, each event with what became of it.
    """
    from tfevents.delivery import flush
    from tfevents.journal import history, recovery
    from tfevents.settings.home import find_home

    journal = flush.find_journal(find_home(os.environ))
    recovery.close_gone(journal, os.environ)
    pages = history.read(journal, limit)
    for line in journal.unreadable:
        say(line)
    if as_json:
        _write_json(history.as_json(pages))
    elif pages:
        history.table(pages).show()
    else:
        click.echo("nothing has been recorded yet: run `tf plan` or `tf apply`")


@click.command("flush")
@click.option("--refused", is_flag=True, help="Send those again that the server refused.")
@click.option(
    *("--timeout", "seconds"),
    type=click.FloatRange(0, 86400),
    metavar="SECONDS",
    help="Stop after so many seconds.  [default: after 60 without a delivery]",
)
@click.option("--assign", metavar="WORKSPACE", help="Say whose the events of a directory are.")
@click.option("--directory", metavar="D", help="Of which directory, where several have none.")
@click.option("--tf-workspace", metavar="NAME", help="Of which terraform workspace of it.")
@click.option("--org", metavar="ID", help="The organization of that workspace.")
@click.option("--project", metavar="ID", help="The project of that workspace.")
def flush_command(
    refused: bool, seconds: float | None, assign: str | None, **given: str | None
) -> int:
    """Send what waits in the journal.

    Each event goes once, and those of one workspace in order. An event of a directory that had no
    workspace waits until it has one, or --assign gives it one. Exits with 1 if not all arrived.
    """
    from tfevents.delivery.flush import Flush
    from tfevents.journal.ownership import Assignment
    from tfevents.settings.load import load

    if assign is None and any(given.values()):
        name = next(name for name, value in given.items() if value)
        raise click.UsageError(f"--{name.replace('_', '-')} goes with --assign WORKSPACE")
    settings = load(os.environ, os.getcwd())
    for note in settings.notes:
        say(note)
    assignment = None if assign is None else Assignment(assign, **given)
    done = Flush(settings, os.environ, refused, seconds, assignment).run()
    for line in done.lines():
        click.echo(printable(line))
    return 1 if done.waits else 0


def _pairs(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    """KEY=VALUE, each."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{name!r} is no {parameter.metavar}", context, parameter)
        if not text.isascii() and "\udc80" <= max(text) <= "\udcff":
            raise click.BadParameter(f"{name!r} is no UTF-8", context, parameter)
        pairs[name] = value
    return pairs


def _event_options(command: Any) -> Any:
    """What every event that is told by hand takes."""
    for option in (
        click.option("--strict", is_flag=True, help="Exit with 86 if it is not delivered."),
        click.option("--workspace", metavar="ID", help="The IaCM workspace it belongs to."),
        click.option("--project", metavar="ID", help="The project of that workspace."),
        click.option("--org", metavar="ID", help="The organization of that project."),
        click.option(
            *("--metadata", "metadata"),
            multiple=True,
            metavar="FIELD=VALUE",
            callback=_pairs,
            help="A metadata field of the contract; may be repeated.",
        ),
        click.option(
            *("--data", "data"),
            multiple=True,
            metavar="KEY=VALUE",
            callback=_pairs,
            help="Anything else worth telling; may be repeated.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("event_type", type=click.Choice(EVENT_TYPES), metavar="EVENT_TYPE")
@click.option("--activity-type", type=click.Choice(ACTIVITY_TYPES), help="What was going on.")
@click.option("--activity-status", type=click.Choice(ACTIVITY_STATUSES), help="How it ended.")
@_event_options
def send(
    event_type: str, activity_type: str | None, activity_status: str | None, **options: Any
) -> int:
    """Send one event by hand.

    EVENT_TYPE is plan, drifted, provisioning, destroying, active, inactive, apply_needed, failed
    or stage-complete. Commit and pipeline are found as in a run.
    """
    activity = {"activity_type": activity_type, "activity_status": activity_status}
    options["metadata"] |= {name: value for name, value in activity.items() if value}
    return _announce(event_type, **options)


@click.command("stage-complete")
@_event_options
def stage_complete(**options: Any) -> int:
    """Send the event that ends a pipeline stage.

    The pipeline, its execution and its stage are found in the environment.
    """
    return _announce("stage-complete", **options)


def _announce(
    event_type: str,
    metadata: dict[str, str],
    data: dict[str, str],
    strict: bool,
    **flags: str | None,
) -> int:
    from tfevents.reporting.manual_event import Announcement, announce
    from tfevents.wrapper.run import UNDELIVERED

    told = announce(
        Announcement(event_type, metadata, data),
        os.getcwd(),
        os.environ,
        {**flags, "strict": "1" if strict else None},
    )
    if told.delivered:
        click.echo(printable(told.line))
    else:
        say(told.line)
    return UNDELIVERED if told.strict and not told.delivered else 0


def _given(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """A pipeline's inputs are empty where they were not given."""
    return text.strip() or None if text else None


def _given_code(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    text = _given(context, parameter, text)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise click.BadParameter(f"{text[:20]!r} is no exit code", context, parameter)
    return int(text)


@click.command()
@click.argument("moment", type=click.Choice(("before", "after", "error")))
@click.argument("command", required=False, default="")
@click.option("--plan-file", callback=_given, help="The saved plan, for its counts.")
@click.option("--plan-json", callback=_given, help="`show -json` of it, where the host made one.")
@click.option("--exit-code", callback=_given_code, help="What terraform ended with.")
@click.option("--directory", callback=_given, help="The unit, where that is not the directory.")
@_cost_file
def hook(moment: str, command: str, **given: Any) -> int:
    """Report a run of somebody else's terraform.

    To be called before, after, and on an error. COMMAND is plan, apply, destroy, refresh or import.
    """
    from tfevents.hosts import hook as story
    from tfevents.hosts import host
    from tfevents.settings.switches import is_on

    found = host.find(os.environ)
    if not (command or found.command):
        raise click.UsageError("which command? name it: plan, apply, destroy, refresh or import")
    call = story.settle(moment, command, given, found, os.environ)
    if call is None:
        return 0
    told = story.run(call, os.environ)
    if told.line and not is_on("quiet", os.environ):
        say(told.line)
    return story.exit_code(moment, delivered=told.delivered, env=os.environ)


@click.command()
@click.argument("directory", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
@click.option("--opentofu", is_flag=True, help="As OpenTofu reads it: its registry, .tofu files.")
def inventory(directory: str, as_json: bool, opentofu: bool) -> None:
    """Show a directory's modules and providers.

    As they are declared, and what they resolved to.
    """
    from tfevents.cli.output import Table
    from tfevents.readers.hcl import inventory as story

    data_dir = os.environ.get("TF_DATA_DIR") or ".terraform"
    found = story.find(directory, opentofu=opentofu, data_dir=data_dir)
    for problem in found.problems:
        say(problem)
    document = found.as_json()
    if as_json:
        return _write_json(document)
    for title in ("modules", "providers"):
        rows = document[title]
        if rows:
            columns = tuple(rows[0])
            Table(columns, [[str(row[c] or "-") for c in columns] for row in rows]).show()
    version, backend = document["required_version"], document["backend"]
    click.echo(printable(f"terraform {version or 'any version'}, backend {backend or 'local'}"))


@click.command()
def plugin() -> int:
    """Be a pipeline stage's container.

    For its entry point: settings arrive as PLUGIN_*.
    """
    from tfevents.stage import plugin as story

    return story.plugin(os.environ)


def _write_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=2))


COMMANDS = (run, count, log, flush_command, send, stage_complete, hook, inventory, plugin)


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tfevents", message="%(prog)s %(version)s")
def tfevents() -> None:
    """Run your terraform or tofu, stay out of its way, and tell Harness IaCM what happened."""
