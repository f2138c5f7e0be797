"""Who may send to a relay, with which key an event goes on, and how a key is kept until then."""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from msgspec import Struct

from tfevents.errors import SettingError
from tfevents.receiver.contract import ContractError
from tfevents.settings.model import Key

SECRET, TOKEN = "TFEVENTS_RELAY_SECRET", "TFEVENTS_RELAY_TOKEN"  # their names
MAKE_SECRET = "head -c 32 /dev/urandom | base64 | tr +/ -_"  # noqa: S105  # a command
"""Prints a good one."""


class Caller(Struct, frozen=True):
    """The key that an event goes on with. `digest` tells it from others and does not say it."""

    digest: str
    key: Key


class Keys(Protocol):
    """Which key a runner's event goes on with."""

    def admit(self, secret: str, account: str) -> Caller:
        """Whose request it is, by its x-api-key. Raises ContractError."""

    def seal(self, key: Key) -> str:
        """The key as it is kept."""

    def unseal(self, sealed: str) -> Key | None:
        """The key that was sealed; None where that can't be told any more."""


class RunnersKeys:
    """Each event goes on with the key that it came with, encrypted while it waits (Fernet: AES and
    an HMAC). Whether a key is good, the server upstream knows."""

    def __init__(self, secrets: str) -> None:
        """`secrets`: Fernet keys with commas between them; the first encrypts, each decrypts, the
        last one's digests stay the same while new ones are put before it. Raises SettingError."""
        words = [word.strip() for word in secrets.split(",")]
        try:
            self._fernet = MultiFernet([Fernet(word) for word in words])
        except ValueError:
            told = f"{SECRET}: this is no base64 of 32 bytes; make one: {MAKE_SECRET}"
            raise SettingError(told) from None
        self._salt = words[-1].encode()

    def admit(self, secret: str, account: str) -> Caller:
        """Any key of the account."""
        key = Key(secret)
        if key.fault or key.account not in (None, account):
            raise ContractError(401, "unauthorized", "this is no API key of this account")
        digest = hmac.new(self._salt, secret.encode(), hashlib.sha256).hexdigest()
        return Caller(digest, key)

    def seal(self, key: Key) -> str:
        """Encrypted."""
        return self._fernet.encrypt(key.secret.encode()).decode()

    def unseal(self, sealed: str) -> Key | None:
        """None where it was encrypted with a secret that is not known."""
        try:
            return Key(self._fernet.decrypt(sealed).decode())
        except InvalidToken:
            return None


class OwnKey:
    """Every event goes on with the relay's own key; what a runner sends as its key is the relay's
    token."""

    def __init__(self, key: Key, account: str | None, token: str) -> None:
        self._key, self._account, self._token = key, account, token.encode()
        digest = hashlib.sha256(key.secret.encode()).hexdigest()
        self._caller = Caller(f"own {digest}", key)

    def admit(self, secret: str, account: str) -> Caller:
        """Who has the token, for the account of the relay's key."""
        if not hmac.compare_digest(secret.encode(), self._token):
            raise ContractError(401, "unauthorized", f"this is not the relay's {TOKEN}")
        if self._account not in (None, account):
            raise ContractError(403, "forbidden", "the relay's key is of another account")
        return self._caller

    def seal(self, _key: Key) -> str:
        """Nothing: it is in the environment."""
        return ""

    def unseal(self, sealed: str) -> Key | None:
        """Our own; a runner's can't be told."""
        return None if sealed else self._key
