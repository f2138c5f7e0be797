"""Digests without OpenSSL, whose library takes as long to load as ten resources to be counted."""

from __future__ import annotations

from _blake2 import blake2b

LARGE = 1 << 20
"""Bytes from which on OpenSSL's speed pays for its loading."""


def of_value(text: bytes) -> bytes:
    """A value as something that can be compared within one process, and not be read."""
    found: bytes = blake2b(text, digest_size=32).digest()
    return found


def checksum(data: bytes) -> str:
    """SHA-256, lower-case hex."""
    if len(data) < LARGE:
        try:
            from _sha2 import sha256  # Python 3.12 and later
        except ImportError:
            from _sha256 import sha256
    else:
        from hashlib import sha256
    found: str = sha256(data).hexdigest()
    return found
