"""Which addresses may be spoken to, and what of an address may be shown."""

from __future__ import annotations

import re

from freshwax.secret import MASK


def trusted(url: str) -> bool:
    """Whether an address is https, or plain http to this machine: nothing else may be handed a secret."""
    from urllib.parse import urlsplit  # noqa: PLC0415 -- most settings have no address of their own

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        parts.port  # noqa: B018 -- raises where it is no number
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or number; nothing is looked up."""
    from ipaddress import ip_address  # noqa: PLC0415 -- as above

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_user(text: str) -> str:
    """Mask what stands before the last ``@`` in a text, but for the beginning of an address, in quotes or not.

    It may hold a password, and that any character; so whatever else stands there is masked, too.
    """
    head, at, host = text.rpartition("@")
    if not at:
        return text
    begin = re.match(r"[\['\"]*(?:[A-Za-z][A-Za-z0-9+.-]*://)?", head)
    return f"{begin[0] if begin else ''}{MASK}@{host}"
