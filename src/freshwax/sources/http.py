"""HTTP, spoken in this file only: one request, one answer, within bounds.

No retries, no pacing, no knowledge of any service: ``limits`` wraps this, and the sources wrap that.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from freshwax import __version__
from freshwax.config.address import trusted, without_user
from freshwax.errors import CheckError, UsageError
from freshwax.secret import MASK, SHORTEST
from freshwax.sources import surroundings

if TYPE_CHECKING:
    import ssl

    import httpx2  # 0.1 s to import: commands that ask nothing must not pay for it

MAX_BODY = 5_000_000
USER_AGENT = f"freshwax/{__version__}"


class Response(Struct, frozen=True):
    """An answer, whatever its status. Header names are lower case; ``bytes_on_wire``: head and body as received."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    bytes_on_wire: int
    url: str


class Timeouts(Struct, frozen=True):
    """Seconds to wait for a connection, for the next bytes, and for an answer as a whole."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 12.0


class HttpClient:
    """Sends requests over kept-alive connections, ``connections`` at once at most. It belongs to one event loop.

    Plain ``http://`` is refused except to this machine. Redirects are answers, never followed: a token goes to the host
    that it is meant for or nowhere. ``transport`` replaces the network (tests).
    """

    def __init__(
        self,
        *,
        connections: int = 8,
        timeouts: Timeouts | None = None,
        max_body: int = MAX_BODY,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._connections = connections
        self._timeouts = timeouts or Timeouts()
        self._max_body = max_body
        self._transport = transport
        self._clients: dict[bool, httpx2.AsyncClient] = {}
        self._local: dict[str, bool] = {}
        self._hidden: set[str] = set()
        self._trusting: ssl.SSLContext | None = None

    def check(self, *urls: str) -> None:
        """Raise UsageError where one of these addresses must not be asked, or where the environment names a proxy or
        certificates that cannot be used: what can be known before a run begins.
        """
        if False in {self._is_local(url) for url in urls}:
            self._heed_environment()

    def hide(self, *secrets: str) -> None:
        """Mask these texts wherever they would appear in an error, and in the body of a refusal: some echo them."""
        self._hidden.update(secret for secret in secrets if len(secret) >= SHORTEST)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        text: str | None = None,
    ) -> Response:
        """Send one request. ``params`` are appended to the URL; ``data`` is sent as a form, ``text`` as it is.

        Raises ``CheckError`` with the code ``network`` or ``timeout`` (both transient), ``too_large`` or ``bad_data``
        (what claims to be gzip is not); ``UsageError`` for an address that must not be asked, and as ``check``. None of
        them says in a library's words what happened: those may quote a proxy's password, or what was sent.
        """
        import httpx2  # noqa: PLC0415 - see above

        client = self._client(url)
        host = urlsplit(url).netloc.rpartition("@")[2]
        address = f"{url}?{urlencode(params)}" if params else url
        try:
            async with asyncio.timeout(self._timeouts.total):
                return await self._exchange(client, method, address, headers, data, text)
        except httpx2.ConnectTimeout:
            message = f"{host} did not accept a connection within {self._timeouts.connect:g} s"
            raise CheckError(message, code="timeout", transient=True) from None
        except httpx2.TimeoutException:
            message = f"{host} sent nothing for {self._timeouts.read:g} s"
            raise CheckError(message, code="timeout", transient=True) from None
        except TimeoutError:
            message = f"{host} did not finish its answer within {self._timeouts.total:g} s"
            raise CheckError(message, code="timeout", transient=True) from None
        except httpx2.DecodingError:
            raise CheckError(f"{host} sent a damaged answer (compression)", code="bad_data") from None
        except (httpx2.InvalidURL, UnicodeError):
            raise UsageError(f"{host} is no address that can be asked: correct it in the settings") from None
        except (httpx2.HTTPError, OSError) as error:
            # `from None`: tracebacks end up in logs.
            raise CheckError(self._unreachable(url, host, error), code="network", transient=True) from None

    async def aclose(self) -> None:
        """Close all connections. Idempotent."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def _exchange(
        self,
        client: httpx2.AsyncClient,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        data: Mapping[str, str] | None,
        text: str | None,
    ) -> Response:
        content = None if text is None else text.encode("utf-8", "replace")
        async with client.stream(method, url, headers=headers, data=data, content=content) as answer:
            parts: list[bytes] = []
            size = 0
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > self._max_body:
                    host = urlsplit(url).hostname
                    raise CheckError(f"{host} sent more than {self._max_body:,} bytes", code="too_large")
                parts.append(part)
            head = sum(len(name) + len(value) + 4 for name, value in answer.headers.raw) + len(
                "HTTP/1.1 200 OK\r\n\r\n"
            )
            wire = head + answer.num_bytes_downloaded
            body = b"".join(parts)
            if answer.status_code != 200:  # it ends up in a sentence
                body = self._masked_body(body)
            return Response(answer.status_code, answer.headers, body, wire, url)

    def _client(self, url: str) -> httpx2.AsyncClient:
        local = self._is_local(url)
        client = self._clients.get(local)
        if client is None:
            client = self._clients[local] = self._open(local)
        return client

    def _open(self, local: bool) -> httpx2.AsyncClient:
        import ssl  # noqa: PLC0415

        import httpx2  # noqa: PLC0415

        if not local:
            self._heed_environment()
        # They would log each address, and at debug level the heads of answers.
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        limits = self._timeouts
        try:
            return httpx2.AsyncClient(
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
                timeout=httpx2.Timeout(connect=limits.connect, read=limits.read, write=limits.read, pool=None),
                limits=httpx2.Limits(
                    max_connections=self._connections,
                    max_keepalive_connections=self._connections,
                    keepalive_expiry=30.0,
                ),
                # Loading the authorities' certificates takes longer than a hundred local requests. An empty context
                # trusts nobody, so it cannot be used for https by mistake.
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if local else self._trusting or True,
                trust_env=not local,  # a proxy in the environment has no business with this machine
                transport=self._transport,
                follow_redirects=False,
            )
        except Exception:  # noqa: BLE001 -- whatever the library finds wrong with a proxy, its words may quote it
            names = " or ".join(surroundings.proxies(os.environ))
            raise UsageError(surroundings.unusable(names or "What this system's settings name")) from None

    def _heed_environment(self) -> None:
        if self._transport is None:
            surroundings.check_proxies(os.environ)
            self._trusting = self._trusting or surroundings.certificates(os.environ)

    def _is_local(self, url: str) -> bool:
        origin = "/".join(url.split("/", 3)[:3])
        known = self._local.get(origin)
        if known is None:
            known = self._local[origin] = self._judge(origin)
        return known

    def _judge(self, origin: str) -> bool:
        """Whether an origin is plain HTTP to this machine (true) or HTTPS (false); anything else is refused."""
        if trusted(origin):
            return not origin.lower().startswith("https:")
        raise UsageError(f"{self._masked(origin)} is not an https:// address (http:// is for this machine only)")

    def _unreachable(self, url: str, host: str, error: Exception) -> str:
        distrust = _distrust(error)
        if distrust is not None:
            named = surroundings.certificates_variable(os.environ)
            advice = f"check {f'{named}, ' if named else ''}this machine's clock, and what stands between"
            return f"the certificate of {host} cannot be trusted ({distrust}), nothing was sent to it: {advice}"
        proxy = "" if self._is_local(url) else next(iter(surroundings.proxies(os.environ)), "")
        return f"{host} cannot be reached ({_reason(error)}{f'; {proxy} names a proxy' if proxy else ''})"

    def _masked(self, text: str) -> str:
        for secret in self._longest_first():
            text = text.replace(secret, MASK)
        return without_user(text)

    def _masked_body(self, body: bytes) -> bytes:
        for secret in self._longest_first():
            for written in (secret, secret.replace("/", r"\/")):  # as some write it in JSON
                body = body.replace(written.encode(), MASK.encode())
        return body

    def _longest_first(self) -> list[str]:
        """Return what is hidden: of one that is a part of another, nothing of the other is left to be seen."""
        return sorted(self._hidden, key=len, reverse=True)


def _distrust(error: BaseException | None) -> str | None:
    """Find out whether it was the other side's certificate that ended it; return what is wrong with that."""
    import ssl  # noqa: PLC0415

    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or "not trusted"
        error = error.__cause__ or error.__context__
    return None


def _reason(error: Exception) -> str:
    """Say in words of our own what kept a request from its answer: of a library's, only what the system said."""
    import httpx2  # noqa: PLC0415 - see above

    if isinstance(error, httpx2.ProxyError):  # its text is what the proxy answered
        status = str(error)[:3]
        if status == "407":
            return "the proxy wants another user or password"
        return f"the proxy refuses: HTTP {status}" if status.isdecimal() else "the proxy refuses"
    if isinstance(error, httpx2.RemoteProtocolError):
        ended = str(error).startswith(("Server disconnected", "peer closed connection"))
        return "it ended the connection in mid-answer" if ended else "its answer is no proper HTTP"
    return _system_said(error) or "the connection failed"


def _system_said(error: BaseException | None) -> str:
    """Return what the operating system, or TLS, named as the reason; "" if neither did."""
    import socket  # noqa: PLC0415
    import ssl  # noqa: PLC0415

    while error is not None:
        if isinstance(error, ssl.SSLError):
            return f"TLS: {(error.reason or 'failed').lower().replace('_', ' ')}"
        if isinstance(error, socket.gaierror):
            return error.strerror or "its name is not known"
        if isinstance(error, OSError) and error.errno:
            return os.strerror(error.errno)
        error = error.__cause__ or error.__context__
    return ""


def answered_at(headers: Mapping[str, str]) -> datetime | None:
    """Return the instant of an answer's ``Date`` header; None where it has none that can be read."""
    return http_date(headers.get("date", ""))


def http_date(text: str) -> datetime | None:
    """Read a date as HTTP writes it; None if it is none."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - 15 ms that only who asks the network pays

    try:
        instant = parsedate_to_datetime(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
