"""An apply or destroy without a plan file: planned, asked about and applied as terraform does it.

Both halves' stdout together are what the unsplit command prints (semantics §4.7 f); the options
go to the half that takes them (§4.3).
"""

from __future__ import annotations

import os

from tfevents.invocation import VARIABLES
from tfevents.later import Later
from tfevents.plan import Mode
from tfevents.record import dataclass
from tfevents.scene import Scene
from tfevents.signals import DEADLY, Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tfevents.approval import Approval
    from tfevents.place import Place

NOTHING_TO_DO, FAILED, CHANGES = 0, 1, 2
"""What `-detailed-exitcode` makes of our plan half; never the run's own code."""


@dataclass(frozen=True)
class Ended:
    """What was seen of a run: its end, and where its facts are.

    `approved`: None where terraform asked by itself. `approval`: how our own question ended.
    `planning`: it did not get beyond the plan. `reading`, `before`, `stream`: facts on their way.
    """

    exit_code: int
    plan_file: str | None = None
    reading: Later | None = None  # type: ignore[type-arg]  # of facts.Planned, which is backstage
    before: Later | None = None  # type: ignore[type-arg]  # of state.State, likewise
    stream: str | None = None
    approved: bool | None = None
    approval: Approval | None = None
    planning: bool = False


def may_split(scene: Scene, place: Place) -> bool:
    """Whether neither half would say anything that the unsplit command would not."""
    invocation = scene.invocation
    configured = place.configured or invocation.mode is Mode.DESTROY
    if not (invocation.splits and configured):
        return False
    if invocation.opentofu is None:
        return True
    version = scene.version()
    return bool(version and version.product == "OpenTofu" and version.least(*invocation.opentofu))


def apply_split(scene: Scene, place: Place) -> Ended:
    """`plan -out`, the question, `apply PLANFILE`."""
    private = scene.presence.create("plan")
    planned = _plan(scene, private)
    if planned not in (NOTHING_TO_DO, CHANGES):
        return Ended(planned, plan_file=_written(private), planning=True)
    if scene.watch.interrupted:
        return Ended(_halt(scene), plan_file=private, planning=True)
    reading = scene.at_once(lambda backstage: backstage.read_planned(private))
    if planned == CHANGES:
        approval = _ask(scene, place)
        if approval is not None:
            return Ended(_unapproved(scene), reading=reading, approval=approval)
        scene.at_once(lambda backstage: backstage.begin(scene.operation, reading))
    try:
        return Ended(_apply(scene, private), reading=reading, approved=True)
    except Interrupted:
        return Ended(_halt(scene), reading=reading, planning=True)


def _plan(scene: Scene, out: str) -> int:
    scene.beside(lambda backstage: backstage.expect(out))
    # its footer would advertise our file
    return scene.run(
        scene.invocation.plan_half(out),
        env={**_without_arguments(scene), "TF_IN_AUTOMATION": "1"},
    )


def _written(private: str) -> str | None:
    """A failed plan writes its file where it got that far (semantics §3)."""
    return private if os.path.getsize(private) else None


def _without_arguments(scene: Scene) -> dict[str, str]:
    """TF_CLI_ARGS* of the command that was typed are part of our own command lines already."""
    return {n: value for n, value in scene.env.items() if not n.startswith("TF_CLI_ARGS")}


def _ask(scene: Scene, place: Place) -> Approval | None:
    """How it was not approved; None where it was."""
    invocation = scene.invocation
    if invocation.on("auto-approve"):
        return None
    from tfevents.approval import Approval, Question, ask

    version = scene.version()
    question = Question(
        mode=invocation.mode,
        tf_workspace=place.tf_workspace,
        product=version.product if version else "Terraform",
        color=invocation.color,
    )
    answer = scene.timed(lambda: ask(question, scene.watch))
    return None if answer is Approval.APPROVED else answer


def _unapproved(scene: Scene) -> int:
    """Declined, or interrupted by what terraform dies of."""
    deadly = [number for number in scene.watch.received if number in DEADLY]
    return -deadly[0] if deadly else FAILED


def _halt(scene: Scene) -> int:
    """A signal between the halves: what terraform says when it is stopped before it applies."""
    code = _unapproved(scene)
    if code == FAILED:
        from tfevents.approval import diagnostic, say

        say(2, diagnostic("execution halted", color=scene.invocation.color))
    return code


def _apply(scene: Scene, plan_file: str) -> int:
    invocation = scene.invocation
    arguments = invocation.apply_half(plan_file, variables=_repeats_variables(scene))
    env = _without_arguments(scene)
    if invocation.command != "destroy":
        return scene.run(arguments, env)
    from tfevents import relay

    return relay.through(lambda streams: scene.run(arguments, env, streams), scene.env)


def _repeats_variables(scene: Scene) -> bool:
    """Terraform 1.10 and later take the same variables again, and want the ephemeral ones; so
    does OpenTofu 1.12, which is only split where it goes by terraform's name."""
    if not scene.invocation.names() & VARIABLES:
        return False
    version = scene.version()
    return version is not None and version.least(1, 10 if version.product == "Terraform" else 12)


def apply_into(scene: Scene) -> Ended | None:
    """OpenTofu 1.12 and later tell by themselves: unsplit, with `-json-into` a private file.

    None where this is another engine. OpenTofu 1.11 may split, but not with variables.
    """
    if not _may_be_tofu(scene):
        return None
    version = scene.version()
    if version is None or version.product != "OpenTofu":
        return None
    invocation = scene.invocation
    if version.least(1, 12):
        return _tell_into(scene)
    if version.least(1, 11) and invocation.names() & VARIABLES:
        return Ended(scene.run(invocation.with_flag()))
    return None


def _tell_into(scene: Scene) -> Ended:
    from tfevents.engine import Engine

    # the stream has no values: what an output was is in the state before, if it is asked in time
    engine = Engine(scene.path, scene.invocation.options, scene.env)
    before = Later(engine.pull, "state before")
    stream = scene.presence.create("stream")
    reading = scene.beside(lambda backstage: backstage.follow(stream))
    code = scene.run(scene.invocation.with_flag(f"-json-into={stream}"))
    return Ended(code, reading=reading, stream=stream, before=before)


def _may_be_tofu(scene: Scene) -> bool:
    """A binary called terraform that is a binary is Terraform; a link or a script may be either."""
    if not os.path.basename(os.path.realpath(scene.path)).startswith("terraform"):
        return True
    try:
        with open(scene.path, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False  # it may be run, but not be read: no script then
