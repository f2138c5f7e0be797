"""Keys of runners: how they are kept, and how the secret that keeps them is changed."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from tfevents.errors import SettingError
from tfevents.receiver.contract import ContractError
from tfevents.relay.keys import RunnersKeys
from tfevents.settings.model import Key

OLD, NEW = (urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))
KEY = "pat.acct.id.s3cr3t"


def test_a_key_is_encrypted_and_told_from_others() -> None:
    keys = RunnersKeys(OLD)
    caller = keys.admit(KEY, "acct")
    sealed = keys.seal(caller.key)
    assert keys.unseal(sealed) == Key(KEY)
    assert "s3cr3t" not in sealed + caller.digest
    assert keys.seal(caller.key) != sealed
    assert keys.admit(KEY, "acct").digest == caller.digest
    assert keys.admit(KEY + "2", "acct").digest != caller.digest


def test_a_new_secret_stands_before_the_old_one() -> None:
    """What was kept with the old one is still read, and a key is still the same one."""
    before, meanwhile, after = RunnersKeys(OLD), RunnersKeys(f"{NEW}, {OLD}"), RunnersKeys(NEW)
    old, new = before.seal(Key(KEY)), meanwhile.seal(Key(KEY))
    assert meanwhile.unseal(old) == after.unseal(new) == Key(KEY)
    assert before.unseal(new) is after.unseal(old) is None
    assert before.admit(KEY, "acct").digest == meanwhile.admit(KEY, "acct").digest


@pytest.mark.parametrize("key", ["pat.other.id.secret", "'quoted'", "sat.acct.half"])
def test_what_is_no_key_of_the_account(key: str) -> None:
    with pytest.raises(ContractError) as caught:
        RunnersKeys(OLD).admit(key, "acct")
    assert caught.value.status == 401


def test_a_secret_that_is_none() -> None:
    with pytest.raises(SettingError, match="no base64 of 32 bytes"):
        RunnersKeys(f"{OLD},short")
