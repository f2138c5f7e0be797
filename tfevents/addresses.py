"""Redacts addresses of repositories, pipeline pages and module sources.

The user part, the query and the fragment are removed, because each may contain a token.
"""

from __future__ import annotations

import re

KEPT_PARAMETERS = {
    **dict.fromkeys(("buildId", "releaseId", "id", "depth"), r"\d{1,20}"),
    "ref": r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}",
}
"""Query parameters that are kept: names that CI vendors and module sources use → the pattern that
the value must match."""
SCHEMES = "https?|ssh|git|git\\+ssh|git\\+https?|s3|gs|ftps?|svn(?:\\+ssh)?"
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
HOST_AND_PORT = rf"{HOST}(?::\d{{1,5}})?"
PATH = r"[^\s\\@?#\x00-\x1f]*"
QUERY = r"(\?[^#]*)?(?:#.*)?"
"""The query, which is captured, and the fragment, which is not."""
GETTER = r"[a-z][a-z0-9]{0,9}"
NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"


def redact_address(text: str) -> str | None:
    """The scheme, host, port and path of an address; None if it names no host.

    Of the query only KEPT_PARAMETERS are kept. The user is removed, except `git@` before an ssh
    host, where it is the same for everybody.
    """
    return _redact_url(text) or _redact_scp(text)


def _redact_url(text: str) -> str | None:
    url = re.fullmatch(
        rf"(?i:({SCHEMES}))://(?:([^/?#]*)@)?({HOST_AND_PORT})(/{PATH})?{QUERY}", text
    )
    if url is None:  # Semaphore: http://git@github.com:owner/name.git
        url = re.fullmatch(rf"(?i:({SCHEMES}))://([^/?#]*)@({HOST})(:{PATH}){QUERY}", text)
    if url is None:
        return None
    scheme, user, host, path, query = url.groups()
    ssh = _redact_user(user) if "ssh" in scheme.lower() else ""
    return f"{scheme}://{ssh}{host}{path or ''}{_redact_query(query)}"


def _redact_scp(text: str) -> str | None:
    """Redacts `[user@]host:path`, the form that ssh and rsync take; None for any other text.

    Without a user, the host must contain a dot.
    """
    found = re.fullmatch(rf"(?:([^/?#@]*)@)?({HOST}):(?![:/]{{2}}|:)({PATH}){QUERY}", text)
    if found is None or not (found[1] is not None or "." in found[2]):
        return None
    user, host, path, query = found.groups()
    return f"{_redact_user(user)}{host}:{path}{_redact_query(query)}"


def _redact_user(user: str | None) -> str:
    return "git@" if (user or "").partition(":")[0] == "git" else ""


def redact_source(text: str) -> str | None:
    """A module's source without its secrets; None if it has none of the known forms.

    The forms are a local path, a registry address, a shorthand that begins with a host
    (`github.com/owner/name`) and any address, each address also behind a `getter::`.
    """
    if re.fullmatch(rf"\.\.?(?:/{PATH})?", text):
        return text
    getter, mark, rest = text.partition("::")
    if mark:
        inner = redact_address(rest) if re.fullmatch(GETTER, getter) else None
        return f"{getter}::{inner}" if inner else None
    if re.fullmatch(rf"(?:{HOST_AND_PORT}/)?{NAME}/{NAME}/{NAME}(?://{PATH})?", text):
        return text
    host = re.fullmatch(rf"(?:[^/?#]*@)?({HOST_AND_PORT})(/{PATH}){QUERY}", text)
    if host and "." in host[1]:
        return f"{host[1]}{host[2]}{_redact_query(host[3])}"
    return redact_address(text)


def _redact_query(query: str | None) -> str:
    kept = []
    for part in (query or "").removeprefix("?").split("&"):
        name, _, value = part.partition("=")
        if name in KEPT_PARAMETERS and re.fullmatch(KEPT_PARAMETERS[name], value):
            kept.append(part)
    return f"?{'&'.join(kept)}" if kept else ""
