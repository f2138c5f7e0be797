"""The exceptions of tfevents, with the exit codes of its own commands, and other exit codes.

TfeventsError                 1
├── SettingError              2   a setting that can't be used
├── ProvisionerNotFound     127   there is neither terraform nor tofu, or not the one named
├── UnreadableDocument        1   a plan, plan JSON, state or cost file can't be read
├── InvalidEvent              1   an event that does not fit the contract
├── JournalUnavailable        1   the journal can't be opened or written
├── UnreadableRow             1   one row of the journal can't be read
├── StoreUnavailable          1   the database of received events can't be used
└── DeliveryError             1   an event was not delivered
    ├── Refused                   the server will never accept this event
    ├── Unauthorized              the server does not accept the API key: all events wait
    └── Unreachable               the event is to be sent again later
"""

UNDELIVERED = 86
"""The exit code of a strict run whose events were not all delivered; terraform never uses it."""


def to_shell_status(exit_code: int) -> int:
    """The exit code as a shell gives it: 128 + n for a process that died of signal n (-n)."""
    return exit_code if exit_code >= 0 else 128 - exit_code


class TfeventsError(Exception):
    """The base of all errors. Its message is one line: what happened, then what to do.

    `exit_code`: with which tfevents' own commands end.
    """

    exit_code = 1


class SettingError(TfeventsError):
    """A setting that can't be used; the message names the setting and what to do."""

    exit_code = 2


class ProvisionerNotFound(TfeventsError):
    """There is no binary to run; 127 is the shell's exit code for a command that is not found."""

    exit_code = 127


class UnreadableDocument(TfeventsError):
    """A plan, plan JSON, state or cost file that this version can't read."""


class InvalidEvent(TfeventsError):
    """An event that does not fit the contract."""


class JournalUnavailable(TfeventsError):
    """The journal can't be opened or written."""


class UnreadableRow(TfeventsError):
    """One row of the journal can't be read; the other rows are not affected."""


class StoreUnavailable(TfeventsError):
    """The database of received events can't be opened, written or read."""


class DeliveryError(TfeventsError):
    """An event was not delivered."""


class Refused(DeliveryError):
    """The server will never accept this event."""


class Unauthorized(DeliveryError):
    """The server does not accept the API key (401, 403): all events wait for another key."""


class Unreachable(DeliveryError):
    """The event is to be sent again: no connection, no response, or a status that allows a retry.

    `retry_after`: seconds to wait, from the response's Retry-After; None if absent. `connected`:
    whether there was a connection. Without one the sender gives up after two attempts; a server
    that responds is retried until the deadline. `locked`: only the event's workspace is unavailable
    (423); the server itself works.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        connected: bool = True,
        locked: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.connected = connected
        self.locked = locked
