"""The story of one run, read top to bottom.

Terraform is started first; whatever is slow to wake is imported while it works. The terminal, the
signals and the exit code are terraform's.
"""

from __future__ import annotations

import os
from time import gmtime, strftime, time

from tfevents.background import Later
from tfevents.errors import UNDELIVERED
from tfevents.journal import run_lock
from tfevents.journal.run_lock import Presence
from tfevents.lean import suppress
from tfevents.settings.environment import identifiers
from tfevents.settings.home import find_home
from tfevents.settings.switches import is_on
from tfevents.terminal import say
from tfevents.terraform import binary
from tfevents.terraform.arguments import Invocation, parse
from tfevents.terraform.workdir import Place, signature
from tfevents.wrapper.scene import Ended, Scene
from tfevents.wrapper.signals import Interrupted, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is slow to wake
    from collections.abc import Callable, Mapping
    from typing import Any

    from tfevents.reporting.fact_collector import Backstage
    from tfevents.terraform.state import State

CHANNEL = "TF_TEMP_LOG_PATH"
"""Where every engine writes its core log, if the file is there (internal/logging/logging.go)."""


def observe(
    argv: tuple[str, ...],
    env: Mapping[str, str],
    path: str,
    stage: Callable[[Mapping[str, Any]], None] | None = None,
) -> int:
    """Runs what was asked and reports it; gives terraform's exit code.

    `stage`: the run is a pipeline's stage, which is told the end event's body and whose end is
    reported as well. Raises OSError where terraform could not be started.
    """
    invocation = parse(argv, env)
    if invocation is None or invocation.helps:
        binary.become(path, argv, env)
    _hold_streams()
    try:
        present = _appear(env)
    except OSError:
        say("nothing is reported: no directory can be written to")
        binary.become(path, argv, env)
    try:
        exit_code = _observe(invocation, env, path, present, stage)
    finally:
        present.end()
    return _leave(exit_code)


def _hold_streams() -> None:
    """A stream that is closed must not become one of our files, to be written to as a stream.

    Terraform still finds it closed, as it would without us: ours are not inherited.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _appear(env: Mapping[str, str]) -> Presence:
    """Under home, or in its stand-in where that can't be written, or is full. Raises OSError."""
    home = find_home(env)
    with suppress(OSError):
        if os.path.isabs(home):
            return run_lock.appear(home)
    return run_lock.appear(run_lock.spare_home())


def _observe(
    invocation: Invocation,
    env: Mapping[str, str],
    path: str,
    present: Presence,
    stage: Callable[[Mapping[str, Any]], None] | None,
) -> int:
    with Watch() as watch:
        scene = _scene(invocation, env, path, present, watch)
        scene.stage = stage is not None
        try:
            ended = _run(scene)
        except Interrupted as early:  # before terraform was there, which would have died of it
            ended = Ended(-early.number, started=False)
        return _report(scene, ended, stage or (lambda _: None))


def _scene(
    invocation: Invocation, env: Mapping[str, str], path: str, present: Presence, watch: Watch
) -> Scene:
    directory = invocation.chdir
    with suppress(OSError):  # it may be gone, which terraform tells in its own words
        directory = os.path.abspath(directory)
    opened = int(time())
    opened_at = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(opened))
    present.note(
        {
            "operation": invocation.command,
            "mode": invocation.mode.value,
            "opened_at": opened_at,
            "directory": directory,
            **identifiers(env),
        }
    )
    return Scene(invocation, path, directory, present, watch, opened, opened_at, env, _wake)


def _wake(scene: Scene) -> Backstage:
    from tfevents.reporting.fact_collector import Backstage

    return Backstage(scene)


def _run(scene: Scene) -> Ended:
    """Each kind of run in its own way."""
    invocation = scene.invocation
    place = Place(scene.directory, scene.env)
    if invocation.command == "plan":
        return _plan(scene, place)
    if invocation.command in ("refresh", "import"):
        return _plainly(scene, place)
    log = None if _direct(scene, place) else _log(scene)
    if log:
        return _watched(scene, log)
    if invocation.plan_file:
        return _saved(scene, place, invocation.plan_file)
    return _plainly(scene, place)


def _direct(scene: Scene, place: Place) -> bool:
    """Whether nothing of ours may be given to terraform: asked for, or its work is done in the
    cloud."""
    return is_on("direct", scene.env) or place.in_cloud


def _log(scene: Scene) -> str | None:
    """A private file for the core log; None where none can be had, or the user has one.

    With a limit on a file's size (`ulimit -f`) terraform would die of a log that is too long.
    """
    import resource

    if (
        CHANNEL in scene.env
        or resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    ):
        return None
    with suppress(OSError):
        return scene.presence.create("core.log")
    return None


def _watched(scene: Scene, log: str) -> Ended:
    """An apply or destroy exactly as typed; its log is read while it works."""
    saved = scene.saved_plan
    reading = scene.beside(lambda backstage: backstage.read_saved(saved)) if saved else None
    watching = scene.beside(lambda backstage: backstage.watch(log))
    code = scene.run(scene.invocation.with_flag(), env={**scene.env, CHANNEL: log})
    unasked = bool(saved) or scene.invocation.on("auto-approve")
    return Ended(code, reading=reading, log=watching, approved=unasked or None)


def _plan(scene: Scene, place: Place) -> Ended:
    """`plan`: the user's own `-out`, wherever it was given, else a private one."""
    invocation = scene.invocation
    out = invocation.value("out")
    if out:
        return _plan_with_out(scene, scene.seen(out))
    if not invocation.sure or _direct(scene, place):
        return Ended(scene.run(invocation.with_flag()))
    private = scene.presence.create("plan")
    scene.beside(lambda backstage: backstage.expect(private))
    arguments = invocation.with_flag(f"-out={private}")
    # its footer would advertise our file
    code = scene.run(arguments, env={**scene.env, "TF_IN_AUTOMATION": "1"})
    return Ended(code, plan_file=private if os.path.getsize(private) else None)


def _plan_with_out(scene: Scene, out: str) -> Ended:
    """A failed plan may leave an older file where it was: only a new one is this run's."""
    before = signature(out)
    scene.beside(lambda backstage: backstage.expect(out, before))
    code = scene.run(scene.invocation.with_flag())
    after = signature(out)
    return Ended(code, plan_file=out if after and after != before else None)


def _saved(scene: Scene, place: Place, plan_file: str) -> Ended:
    """`apply PLANFILE` without a log: its start is told when the plan is read."""
    path, before = scene.seen(plan_file), _before(scene, place)
    reading = scene.beside(lambda backstage: backstage.read_saved(path, begins=True))
    code = scene.run(scene.invocation.with_flag())
    return Ended(code, approved=True, reading=reading, before=before)


def _before(scene: Scene, place: Place) -> Later[State]:
    """The state when terraform begins: a file's serial at once, else what a pull finds."""
    stored = place.stored()
    if stored is None:
        return scene.beside(lambda backstage: backstage.pull_before())
    return scene.beside(lambda _: Later(lambda: _state(*stored), "before"))


def _state(serial: int | None, lineage: str | None) -> State:
    from tfevents.terraform.state import State

    return State(serial=serial, lineage=lineage)


def _plainly(scene: Scene, place: Place) -> Ended:
    """As it is: nothing is planned by us, so what is not known stays absent."""
    invocation = scene.invocation
    if invocation.command == "import":
        return _import(scene)
    if invocation.command == "refresh":
        return Ended(scene.run(invocation.with_flag()), approved=True)
    before = _before(scene, place)
    scene.beside(lambda backstage: backstage.ask_version())
    if not invocation.on("auto-approve"):
        return Ended(scene.run(invocation.with_flag()), before=before)
    starting: Later[None] = scene.beside(lambda backstage: backstage.begin(scene.operation))
    code = scene.run(invocation.with_flag())
    starting.result()  # the start is told before the end, however short the run
    return Ended(code, approved=True, before=before)


def _import(scene: Scene) -> Ended:
    """What it gains can only be told against a state from before."""
    before = scene.at_once(lambda backstage: backstage.pull_before())
    if before:
        before.result()
    return Ended(scene.run(scene.invocation.with_flag()), approved=True, before=before)


def _report(scene: Scene, ended: Ended, hear: Callable[[Mapping[str, Any]], None]) -> int:
    """The run is over: tell of it, and leave as terraform left."""
    try:
        exit_code = _tell(scene, ended)
        hear(scene.backstage.report.last)
        return exit_code
    except Exception as error:  # one of the two broad ones: the report never breaks the run
        say(f"nothing is reported: {type(error).__name__} (a bug)")
        return ended.exit_code


def _tell(scene: Scene, ended: Ended) -> int:
    backstage = scene.backstage
    scene.watch.when_idle = backstage.report.hurry
    if scene.watch.interrupted:
        backstage.report.hurry()
    backstage.report.meanwhile = lambda: _clear(scene)
    told = backstage.end(ended)
    settings = backstage.report.settings
    if told.line and not settings.quiet:
        say(told.line)
    undelivered = settings.strict and ended.exit_code in (0, 2) and not told.delivered
    return UNDELIVERED if undelivered else ended.exit_code


def _clear(scene: Scene) -> None:
    """Nobody needs the private files any more, nor the one who listens to signals for terraform."""
    scene.watch.dismiss()
    scene.presence.clear()


def _leave(exit_code: int) -> int:
    """As the child left: a death by signal is died again, so that a shell sees 128 + n."""
    if exit_code < 0:
        _die(-exit_code)
    return exit_code if exit_code >= 0 else 128 - exit_code


def _die(number: int) -> None:
    import resource
    import signal

    with suppress(OSError, ValueError):  # terraform's core file is the one to look at
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
