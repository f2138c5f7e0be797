"""How a relay stores runners' API keys, and how the secret that encrypts them is replaced."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from tfevents.errors import SettingError
from tfevents.receiver.contract import ContractError
from tfevents.relay.keys import RunnersKeys
from tfevents.settings.model import ApiKey

OLD, NEW = (urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
KEY = "pat.acct.id.s3cr3t"


def test_a_key_is_encrypted_and_told_from_others() -> None:
    """A sealed key is unreadable and different each time; the digest is the same for the same key
    and differs for another."""
    keys = RunnersKeys(OLD)
    caller = keys.admit(KEY, "acct")
    sealed = keys.seal(caller.key)
    assert keys.unseal(sealed) == ApiKey(KEY)
    assert "s3cr3t" not in sealed + caller.digest
    assert keys.seal(caller.key) != sealed
    assert keys.admit(KEY, "acct").digest == caller.digest
    assert keys.admit(KEY + "2", "acct").digest != caller.digest


def test_a_new_secret_stands_before_the_old_one() -> None:
    """With a new secret before the old one, keys encrypted with either are read, and a key's digest
    stays the same."""
    before, meanwhile, after = RunnersKeys(OLD), RunnersKeys(f"{NEW}, {OLD}"), RunnersKeys(NEW)
    old, new = before.seal(ApiKey(KEY)), meanwhile.seal(ApiKey(KEY))
    assert meanwhile.unseal(old) == after.unseal(new) == ApiKey(KEY)
    assert before.unseal(new) is after.unseal(old) is None
    assert before.admit(KEY, "acct").digest == meanwhile.admit(KEY, "acct").digest


def test_stored_keys_are_encrypted_with_the_new_secret() -> None:
    """A key that is encrypted with the old secret is encrypted again, so that the old one can be
    removed; a key that needs no change, or can't be read, stays."""
    before, meanwhile, after = RunnersKeys(OLD), RunnersKeys(f"{NEW},{OLD}"), RunnersKeys(NEW)
    sealed = meanwhile.reseal(before.seal(ApiKey(KEY)))
    assert sealed is not None
    assert after.unseal(sealed) == ApiKey(KEY)
    assert meanwhile.reseal(sealed) is None
    assert before.reseal(sealed) is None
    assert after.reseal("") is None


@pytest.mark.parametrize("key", ["pat.other.id.secret", "'quoted'", "sat.acct.half"])
def test_what_is_no_key_of_the_account(key: str) -> None:
    """A malformed key and a key of another account are refused with status 401."""
    with pytest.raises(ContractError) as caught:
        RunnersKeys(OLD).admit(key, "acct")
    assert caught.value.status == 401


def test_a_secret_that_is_none() -> None:
    """A TFEVENTS_RELAY_SECRET that is no base64 of 32 bytes is refused."""
    with pytest.raises(SettingError, match="no base64 of 32 bytes"):
        RunnersKeys(f"{OLD},short")
