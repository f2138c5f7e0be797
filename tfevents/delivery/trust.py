"""Whose word is taken for who a server is: one bundle, the system's roots, or httpx's."""

from __future__ import annotations

import os
import ssl
from contextlib import suppress

from tfevents.errors import SettingError


class Trust:
    """The roots for one server: one by one as they are needed, all where that does not do.

    To read all of a system takes longer than a plan of ten resources has left.
    """

    def __init__(self, ca_bundle: str | None) -> None:
        """Raises SettingError for a bundle that is none."""
        lazy = None if ca_bundle else _indexed()
        self._lazily = lazy is not None
        self.context = ssl.create_default_context(capath=lazy) if lazy else whole(ca_bundle)

    def complete(self) -> bool:
        """Reads what was not read yet; False where nothing was left."""
        if self._lazily:
            self._lazily, self.context = False, whole(None)
            return True
        return False


def whole(ca_bundle: str | None) -> ssl.SSLContext:
    """All that is trusted. Raises SettingError for a bundle that is none."""
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError):
        raise SettingError(
            f"TFEVENTS_CA_BUNDLE, or SSL_CERT_FILE: {ca_bundle} holds no certificates"
        ) from None
    roots = ssl.get_default_verify_paths()
    if not (ca_bundle or roots.cafile or roots.capath):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _indexed() -> str | None:
    """The directory where the system's roots lie by the hash of their names, as c_rehash(1) lays
    them: OpenSSL looks there by itself, for the one it needs."""
    directory = ssl.get_default_verify_paths().capath
    with suppress(OSError):
        if directory and any(name.endswith(".0") for name in os.listdir(directory)):
            return directory
    return None
