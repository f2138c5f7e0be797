"""The story of one run, read top to bottom.

Terraform is started first; whatever is slow to wake is imported while it works. The terminal, the
signals and the exit code are terraform's.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from time import gmtime, strftime

from tfevents import presence, provisioner
from tfevents.invocation import Invocation, parse
from tfevents.place import Place
from tfevents.presence import Presence
from tfevents.scene import Scene
from tfevents.settings import find_home, identifiers
from tfevents.signals import Watch
from tfevents.split import Ended, apply_into, apply_split

ON = ("1", "true", "yes", "on")
UNDELIVERED = 86
"""The exit code under TFEVENTS_STRICT where terraform itself was content (design §4.5)."""


def observe(argv: tuple[str, ...], env: Mapping[str, str], path: str) -> int:
    """Runs what was asked and reports it; gives terraform's exit code.

    Raises OSError where terraform could not be started.
    """
    invocation = parse(argv, env)
    if invocation is None or invocation.helps:
        provisioner.become(path, argv, env)
    with Watch() as watch:
        scene = _scene(invocation, env, path, watch)
        if scene is not None:
            try:
                exit_code = _report(scene, _run(scene))
            finally:
                scene.presence.end()
    if scene is None:
        sys.stderr.write("tfevents: nothing is reported: no directory can be written to\n")
        provisioner.become(path, argv, env)
    return _leave(exit_code)


def _scene(
    invocation: Invocation, env: Mapping[str, str], path: str, watch: Watch
) -> Scene | None:
    """None where there is no place for anything private: terraform runs all the same."""
    directory = os.path.abspath(invocation.chdir)
    opened_at = strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())
    try:
        present = _appear(env)
    except OSError:
        return None
    present.note(
        {
            "operation": invocation.command,
            "mode": invocation.mode.value,
            "opened_at": opened_at,
            "directory": directory,
            **identifiers(env),
        }
    )
    return Scene(invocation, path, directory, present, watch, opened_at, env)


def _appear(env: Mapping[str, str]) -> Presence:
    """Under home, or in its stand-in where that can't be written, or is full."""
    home = find_home(env)
    with suppress(OSError):
        if os.path.isabs(home):
            return presence.appear(home)
    return presence.appear(presence.spare_home())


def _run(scene: Scene) -> Ended:
    """Each kind of run in its own way."""
    invocation = scene.invocation
    place = Place(scene.directory, scene.env)
    if invocation.command == "plan":
        return _plan(scene, place)
    if invocation.command in ("refresh", "import"):
        return _plainly(scene)
    if invocation.plan_file:
        return _saved(scene, invocation.plan_file)
    if _direct(scene, place) or not (invocation.splits and place.configured):
        return _plainly(scene)
    return apply_into(scene) or apply_split(scene, place)


def _direct(scene: Scene, place: Place) -> bool:
    """Whether nothing of ours may be added: asked for, in the cloud, or the user's own stream."""
    wanted = scene.env.get("TFEVENTS_DIRECT", "").lower() in ON
    return wanted or place.in_cloud or scene.invocation.on("json")


def _plan(scene: Scene, place: Place) -> Ended:
    """`plan`: the user's own `-out`, wherever it was given, else a private one."""
    invocation = scene.invocation
    out = invocation.value("out")
    if out:
        return _plan_with_out(scene, scene.seen(out))
    if not invocation.sure or place.in_cloud or scene.env.get("TFEVENTS_DIRECT", "") in ON:
        return Ended(scene.run(invocation.with_flag()))
    private = scene.presence.create("plan")
    arguments = invocation.with_flag(f"-out={private}")
    # its footer would advertise our file
    code = scene.run(arguments, env={**scene.env, "TF_IN_AUTOMATION": "1"})
    return Ended(code, plan_file=private if os.path.getsize(private) else None)


def _plan_with_out(scene: Scene, out: str) -> Ended:
    """A failed plan may leave an older file where it was: only a new one is this run's."""
    before = _signature(out)
    code = scene.run(scene.invocation.with_flag())
    after = _signature(out)
    return Ended(code, plan_file=out if after and after != before else None)


def _signature(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _saved(scene: Scene, plan_file: str) -> Ended:
    """`apply PLANFILE`: what it will do is read while it is being done."""
    scene.prepare()
    reading = scene.backstage.read_saved(scene.seen(plan_file))
    code = scene.run(scene.invocation.with_flag())
    return Ended(code, approved=True, reading=reading)


def _plainly(scene: Scene) -> Ended:
    """As it is: nothing is planned by us, so what is not known stays absent."""
    invocation = scene.invocation
    before = scene.backstage.pull_before() if invocation.command in ("apply", "import") else None
    if before is not None and invocation.command == "import":
        before.result()  # what it gains can only be told against a state from before
    approved = invocation.on("auto-approve") or invocation.command in ("refresh", "import")
    if approved and invocation.command in ("apply", "destroy"):
        scene.backstage.begin(scene.operation)
    return Ended(scene.run(invocation.with_flag()), approved=approved or None, before=before)


def _report(scene: Scene, ended: Ended) -> int:
    """The run is over: tell of it, and leave as terraform left."""
    backstage = scene.backstage
    scene.watch.when_idle = backstage.report.hurry
    told = backstage.end(ended)
    settings = backstage.report.settings
    if told.line and not settings.quiet:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"tfevents: {told.line}\n")
            sys.stderr.flush()
    undelivered = settings.strict and ended.exit_code in (0, 2) and not told.delivered
    return UNDELIVERED if undelivered else ended.exit_code


def _leave(exit_code: int) -> int:
    """As the child left: a death by signal is died again, so that a shell sees 128 + n."""
    if exit_code < 0:
        with suppress(OSError, ValueError):
            signal.signal(-exit_code, signal.SIG_DFL)
        os.kill(os.getpid(), -exit_code)
    return exit_code if exit_code >= 0 else 128 - exit_code

