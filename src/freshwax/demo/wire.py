"""Just enough HTTP/1.1 for the stand-in server: parse a request, write a response in one send, keep the connection.

asyncio under one thread, because a slow answer must not hold up another connection, and because the general-purpose
server of the standard library parses headers too slowly to stand in for a service under benchmark.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_HEAD = 65_536
PHRASES = {status.value: status.phrase for status in HTTPStatus}
NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What to send. ``cut``: break off after so many bytes of body. ``reset``: send nothing, reset the connection.

    ``hung``: what is cut stays unfinished, with the connection open. ``shown``: the releases that the body names.
    """

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    reset: bool = False
    hung: bool = False
    shown: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """The whole response as one piece."""
        lines = [f"HTTP/1.1 {self.status} {PHRASES.get(self.status, 'Unknown')}"]
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        if self.status not in NO_BODY:
            lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join((*lines, "\r\n")).encode("latin-1", "replace") + self.body[: self.cut]


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, and the seconds to wait before it is sent."""

    response: Response
    delay: float = 0.0


Handler = Callable[[Request], Reply]


def parse_request(buffer: bytearray) -> tuple[Request, int] | None:
    """The first request in the buffer and its length; None while it is incomplete. ValueError if it is none."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_HEAD:
            raise ValueError("request head too long")
        return None
    first, *rest = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    length = end + 4 + int(headers.get("content-length", "0"))
    if len(buffer) < length:
        return None
    method, target, _ = first.split(" ")
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(method, unquote(url.path), query, headers, bytes(buffer[end + 4 : length])), length


class Connection(asyncio.Protocol):
    """One client connection; requests on it are answered in order, one at a time."""

    def __init__(self, handler: Handler, open_connections: set[Connection]) -> None:
        self._handler = handler
        self._open = open_connections
        self._buffer = bytearray()
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Register the connection, so that a stopping server can end it."""
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection."""
        self._open.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Collect bytes and answer what is complete."""
        self._buffer += data
        self._next()

    def abort(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        if self._busy or self._transport is None:
            return
        try:
            parsed = parse_request(self._buffer)
        except ValueError:
            self._transport.write(Response(400, headers=(("connection", "close"),)).to_bytes())
            self._transport.close()
            return
        if parsed is None:
            return
        request, length = parsed
        del self._buffer[:length]
        self._busy = True
        reply = self._handler(request)
        close = request.headers.get("connection", "").lower() == "close"
        if reply.delay > 0:
            asyncio.get_running_loop().call_later(reply.delay, self._send, reply.response, close)
        else:
            self._send(reply.response, close)

    def _send(self, response: Response, close: bool) -> None:
        self._busy = False
        transport = self._transport
        if transport is None:
            return
        if response.reset:
            _reset(transport)
            return
        transport.write(response.to_bytes())
        if response.hung:
            return
        if close or response.cut is not None:
            transport.close()
        elif self._buffer:
            self._next()


def _reset(transport: asyncio.Transport) -> None:
    """Close so that the peer sees a reset, not an orderly end."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
