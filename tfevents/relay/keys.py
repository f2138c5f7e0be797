"""A relay's API keys: who may send to it, which key an event is delivered with, and how keys are
stored while events wait."""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from msgspec import Struct

from tfevents.errors import SettingError
from tfevents.receiver.contract import ContractError
from tfevents.settings.model import ApiKey

SECRET, TOKEN = "TFEVENTS_RELAY_SECRET", "TFEVENTS_RELAY_TOKEN"  # names of variables
MAKE_SECRET = "head -c 32 /dev/urandom | base64 | tr +/ -_"  # noqa: S105  # a command
"""A shell command that prints a new TFEVENTS_RELAY_SECRET."""


class Caller(Struct, frozen=True):
    """The key that an event is delivered with. `digest` identifies the key without revealing it."""

    digest: str
    key: ApiKey


class Keys(Protocol):
    """Which key a runner's event is delivered with, and how that key is stored."""

    def admit(self, secret: str, account: str) -> Caller:
        """The caller of a request, by its x-api-key (`secret`) and account.

        Raises ContractError if the key is not accepted.
        """

    def seal(self, key: ApiKey) -> str:
        """The form in which the key is stored in the database."""

    def unseal(self, sealed: str) -> ApiKey | None:
        """The key that was sealed; None if it can't be recovered with the current settings."""

    def reseal(self, sealed: str) -> str | None:
        """The stored form of a key whose stored form is out of date; None if it need not or can't
        be changed."""


class RunnersKeys:
    """Each event is delivered with the key that it was sent with, encrypted while the event waits
    (Fernet: AES and an HMAC). Only the server upstream checks whether a key is valid."""

    def __init__(self, secrets: str) -> None:
        """`secrets`: Fernet keys, separated by commas. The first encrypts, all decrypt. The last
        one salts the digests, so that they stay the same while new secrets are put before it.

        Raises SettingError.
        """
        words = [word.strip() for word in secrets.split(",")]
        try:
            fernets = [Fernet(word) for word in words]
        except ValueError:
            message = f"{SECRET}: this is no base64 of 32 bytes; make one: {MAKE_SECRET}"
            raise SettingError(message) from None
        self._first, self._fernet = fernets[0], MultiFernet(fernets)
        self._salt = words[-1].encode()

    def admit(self, secret: str, account: str) -> Caller:
        """Accepts any well-formed key that does not name another account."""
        key = ApiKey(secret)
        if key.fault or key.account not in (None, account):
            raise ContractError(401, "unauthorized", "this is no API key of this account")
        digest = hmac.new(self._salt, secret.encode(), hashlib.sha256).hexdigest()
        return Caller(digest, key)

    def seal(self, key: ApiKey) -> str:
        """The key, encrypted."""
        return self._fernet.encrypt(key.secret.encode()).decode()

    def unseal(self, sealed: str) -> ApiKey | None:
        """The decrypted key; None if it was encrypted with a secret that is no longer given."""
        try:
            return ApiKey(self._fernet.decrypt(sealed).decode())
        except InvalidToken:
            return None

    def reseal(self, sealed: str) -> str | None:
        """The key encrypted with the first secret; None if it is already, or can't be decrypted."""
        try:
            self._first.decrypt(sealed)
        except InvalidToken:
            key = self.unseal(sealed)
            return self.seal(key) if key else None
        return None


class OwnKey:
    """Every event is delivered with the relay's own key; runners authenticate by sending the
    relay's token as their API key."""

    def __init__(self, key: ApiKey, account: str | None, token: str) -> None:
        self._key, self._account, self._token = key, account, token.encode()
        digest = hashlib.sha256(key.secret.encode()).hexdigest()
        self._caller = Caller(f"own {digest}", key)

    def admit(self, secret: str, account: str) -> Caller:
        """Accepts callers that send the token, for the account of the relay's key."""
        if not hmac.compare_digest(secret.encode(), self._token):
            raise ContractError(401, "unauthorized", f"this is not the relay's {TOKEN}")
        if self._account not in (None, account):
            raise ContractError(403, "forbidden", "the relay's key is of another account")
        return self._caller

    def seal(self, _key: ApiKey) -> str:
        """An empty text: the relay's key is in the environment and not stored."""
        return ""

    def unseal(self, sealed: str) -> ApiKey | None:
        """The relay's own key; None for a runner's encrypted key, which has no secret here."""
        return None if sealed else self._key

    def reseal(self, _sealed: str) -> str | None:
        """None: nothing is encrypted."""
        return None
