"""What the environment says of the network, read before the library reads it: proxies, and whose certificates count.

A proxy's address holds a password, and where it is malformed nobody knows where that ends: nothing of it is ever said
but the name of the variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freshwax.errors import UsageError

if TYPE_CHECKING:
    import ssl

SCHEMES = ("https", "http", "all")  # the library opens all of them, whatever it is going to ask
_SOCKS = ("socks5", "socks5h")


def proxies(env: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of the proxies in force by the names of their variables, as urllib finds them."""
    found: dict[str, tuple[str, str]] = {}
    for name, address in env.items():
        if address:
            found[name.lower()] = (name, address)
    for name, address in env.items():  # small letters win, and an empty value takes the other away
        if name.islower() and address:
            found[name] = (name, address)
        elif name.islower():
            found.pop(name, None)
    if "REQUEST_METHOD" in env and "http_proxy" not in env:  # a CGI script: it may be a header of a stranger's
        found.pop("http_proxy", None)
    if "*" in [host.strip() for host in found.get("no_proxy", ("", ""))[1].split(",")]:
        return {}
    return dict(found[f"{scheme}_proxy"] for scheme in SCHEMES if f"{scheme}_proxy" in found)


def check_proxies(env: Mapping[str, str]) -> None:
    """Raise UsageError where a variable names a proxy that cannot be used."""
    for name, address in proxies(env).items():
        if address.partition("://")[0].lower() in _SOCKS and not _speaks_socks():
            raise UsageError(
                f"{name} names a SOCKS proxy, which freshwax cannot speak to unless the Python package socksio is "
                f"installed beside it: install that, or name an http:// proxy, or take {name} away"
            )
        if not _is_usable(address):
            raise UsageError(unusable(name))


def unusable(name: str) -> str:
    """Say that the proxy of a variable cannot be used, and what is to be done."""
    return (
        f"{name} is not the address of a proxy: write it as http://USER:PASSWORD@HOST:PORT, and percent-encode what "
        "the password holds of / ? # @ : (as %2F %3F %23 %40 %3A)"
    )


def certificates_variable(env: Mapping[str, str]) -> str:
    """Return which variable says whose certificates count; "" if none does."""
    return next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if env.get(name)), "")


def certificates(env: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return whom to trust where the environment says so, None where it does not; UsageError if it cannot be read."""
    name = certificates_variable(env)
    if not name:
        return None
    import ssl  # noqa: PLC0415 -- most runs find nothing here

    path = env[name]
    try:
        if name == "SSL_CERT_FILE":
            with open(path, "rb"):  # noqa: PTH123 -- as text: ssl names no file in its errors
                pass
            return ssl.create_default_context(cafile=path)
        os.listdir(path)  # noqa: PTH208 -- ssl takes a folder that is not there for one without certificates
        return ssl.create_default_context(capath=path)
    except (OSError, ValueError) as error:
        reason = "no certificate in it" if isinstance(error, ssl.SSLError | ValueError) else error.strerror
        what = "file" if name == "SSL_CERT_FILE" else "folder"
        raise UsageError(
            f"{name}: {path!r} cannot be used ({reason}): name a {what} of certificates, or take {name} away"
        ) from None


def _speaks_socks() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 -- as above

    return find_spec("socksio") is not None


def _is_usable(address: str) -> bool:
    """Whether an address of a proxy can mean one thing only."""
    scheme, _, rest = (address if "://" in address else f"http://{address}").partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    if scheme.lower() not in {"http", "https", *_SOCKS} or "@" in behind or re.search(r"[\x00-\x1f\x7f]", address):
        return False
    try:
        address.encode()
        parts = urlsplit(f"//{authority.rpartition('@')[2]}")
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
