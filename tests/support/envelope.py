"""The three formats of an error response: the service's, the gateway's and a proxy's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

GOA_TYPE = "application/vnd.goa.error"


@dataclass(frozen=True)
class Envelope:
    """Body and headers of an error response."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def goa(name: str, message: str, *, temporary: bool = False, timeout: bool = False) -> Envelope:
    """The service's own format; the header `goa-error` repeats the name."""
    members = {
        "name": name,
        "id": "aBcD1234",
        "message": message,
        "temporary": temporary,
        "timeout": timeout,
        "fault": False,
    }
    return Envelope(json.dumps(members).encode(), {"Content-Type": GOA_TYPE, "goa-error": name})


def gateway(code: str, message: str) -> Envelope:
    """The format of the gateway in front of the service."""
    members = {"status": "ERROR", "code": code, "message": message, "correlationId": "c0ffee"}
    return Envelope(json.dumps(members).encode(), {"Content-Type": "application/json"})


def html(title: str) -> Envelope:
    """A proxy's HTML page."""
    page = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>{title}</body>\r\n</html>\r\n"
    return Envelope(page.encode(), {"Content-Type": "text/html"})
