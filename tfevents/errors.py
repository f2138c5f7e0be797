"""Everything tfevents can say no to.

TfeventsError                 1
├── SettingError              2   a setting that can't be used: where it stands, what to do
├── ProvisionerNotFound     127   neither terraform nor tofu, or not the one that was named
├── UnreadableDocument        1   a plan, plan JSON or state that can't be read
├── InvalidEvent              1   not what the contract calls an event
├── JournalUnavailable        1   home can't be written
├── UnreadableRow             1   one row of the journal: the others can be read
├── StoreUnavailable          1   what was received can't be kept, or looked up
└── DeliveryError             1   an event that did not arrive
    ├── Refused                   the server will never take this event
    ├── Unauthorized              the server does not take this key: all events wait
    └── Unreachable               try again later; `again` says when the server asked for it
"""

UNDELIVERED = 86
"""The exit code of a strict run of which something did not arrive; no command of terraform's."""


class TfeventsError(Exception):
    """One line: what happened, then what to do. `exit_code` is that of tfevents' own commands."""

    exit_code = 1


class SettingError(TfeventsError):
    """A setting that can't be used."""

    exit_code = 2


class ProvisionerNotFound(TfeventsError):
    """No binary to run; 127 is the shell's own code for it."""

    exit_code = 127


class UnreadableDocument(TfeventsError):
    """Not a plan, plan JSON or state that this version can read."""


class InvalidEvent(TfeventsError):
    """Not what the contract calls an event."""


class JournalUnavailable(TfeventsError):
    """The journal can't be opened or written."""


class UnreadableRow(TfeventsError):
    """One row of the journal can't be read; the others are as good as before."""


class StoreUnavailable(TfeventsError):
    """The database of what was received can't be opened, written or read."""


class DeliveryError(TfeventsError):
    """An event that did not arrive."""


class Refused(DeliveryError):
    """The server will never take this event as it is."""


class Unauthorized(DeliveryError):
    """The server does not take this key (401, 403): every event waits for a better one."""


class Unreachable(DeliveryError):
    """Not now: no connection, no answer, or a status that asks to come back.

    `again`: seconds the server asked to wait, if it did. `connected`: whether the server was
    reached at all (an outage is tried twice, a busy server until the budget ends).
    """

    def __init__(self, message: str, *, again: float | None = None, connected: bool = True) -> None:
        super().__init__(message)
        self.again = again
        self.connected = connected
