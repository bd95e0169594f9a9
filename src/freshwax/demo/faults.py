"""What can go wrong with a service, as small values that can be combined.

An effect says what goes wrong; a ``Fault`` says for which requests and how often. The server applies every fault that
matches a request, in the order in which they were set. Here: what befalls answers as such; ``odd_lists``: what is wrong
in lists that are answered.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import ClassVar

from freshwax.demo.effects import Asked, Effect, Fault, Logged, What, Where
from freshwax.demo.odd_lists import (
    Emptied,
    EmptyPages,
    Hidden,
    Interleaved,
    ItemField,
    LoopingNext,
    NoPageField,
    NullItems,
    OldestFirst,
    ShortPages,
    Shuffled,
    WronglyTyped,
    WrongTotal,
)
from freshwax.demo.shapes import error, quota_exceeded, token_error
from freshwax.demo.wire import Response

__all__ = [
    "PATIENCE",
    "Asked",
    "Effect",
    "Emptied",
    "EmptyPages",
    "Fault",
    "Garbage",
    "Header",
    "Hidden",
    "Hung",
    "Interleaved",
    "ItemField",
    "Latency",
    "Logged",
    "LoopingNext",
    "NoPageField",
    "NullItems",
    "OldestFirst",
    "Oversized",
    "QuotaSpent",
    "Reset",
    "ShortPages",
    "Shuffled",
    "Status",
    "TokenRefused",
    "TokensExpire",
    "TooMany",
    "Truncated",
    "What",
    "Where",
    "WrongTotal",
    "WronglyTyped",
]

PATIENCE = 10.0  # seconds: nobody waits for longer


@dataclass(frozen=True, slots=True)
class Latency(Effect):
    """Answers take so many real seconds; other connections are not held up."""

    seconds: float

    @property
    def spoils(self) -> bool:  # type: ignore[override]
        """Whether nobody waits for so long."""
        return self.seconds >= PATIENCE

    def delay(self) -> float:
        """See ``Effect``."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class Status(Effect):
    """An error status, with the service's error body; ``body`` replaces that."""

    code: int
    message: str = "Something went wrong"
    retry_after: str | None = None
    reason: str | None = None
    body: bytes | None = None

    def instead(self) -> Response:
        """See ``Effect``."""
        headers = (("retry-after", self.retry_after),) if self.retry_after is not None else ()
        answer = error(self.code, self.message, reason=self.reason, headers=headers)
        return answer if self.body is None else replace(answer, body=self.body)


@dataclass(frozen=True, slots=True)
class TooMany(Effect):
    """Too many requests; ``Retry-After`` in seconds, or as the date of that instant."""

    seconds: int
    as_date: bool = False

    def instead(self) -> Response:
        """See ``Effect``."""
        return error(429, "API rate limit exceeded")

    def on_response(self, response: Response) -> Response:
        """See ``Effect``."""
        wait = str(self.seconds)
        if self.as_date:
            now = parsedate_to_datetime(dict(response.headers)["date"])
            wait = format_datetime(now + timedelta(seconds=self.seconds), usegmt=True)
        return replace(response, headers=(*response.headers, ("retry-after", wait)))


@dataclass(frozen=True, slots=True)
class QuotaSpent(Effect):
    """The quota is spent, whatever was asked before."""

    retry_after: int = 52_531

    def instead(self) -> Response:
        """See ``Effect``."""
        return quota_exceeded(self.retry_after)


@dataclass(frozen=True, slots=True)
class TokenRefused(Effect):
    """No token for these credentials. Set it with ``where="token"``."""

    def instead(self) -> Response:
        """See ``Effect``."""
        return token_error("invalid_client", "Invalid client")


@dataclass(frozen=True, slots=True)
class TokensExpire(Effect):
    """Every token that was given so far is refused from now on, though its hour is not over."""

    ends_tokens: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Garbage(Effect):
    """Something other than the expected JSON, under any status."""

    body: bytes = b"<html><body><h1>We will be right back</h1></body></html>"
    content_type: str = "text/html"
    status: int = 200
    spoils: ClassVar[bool] = True

    def instead(self) -> Response:
        """See ``Effect``."""
        return Response(self.status, self.body, (("content-type", self.content_type),))


@dataclass(frozen=True, slots=True)
class Reset(Effect):
    """The connection is reset in place of an answer."""

    def instead(self) -> Response:
        """See ``Effect``."""
        return Response(reset=True)


@dataclass(frozen=True, slots=True)
class Truncated(Effect):
    """The body breaks off after so many bytes, and the connection ends."""

    keep: int = 100
    spoils: ClassVar[bool] = True

    def on_response(self, response: Response) -> Response:
        """See ``Effect``."""
        return replace(response, cut=self.keep)


@dataclass(frozen=True, slots=True)
class Header(Effect):
    """A header is added or replaced; its value None takes it away."""

    name: str
    value: str | None = None

    def on_response(self, response: Response) -> Response:
        """See ``Effect``."""
        kept = tuple(pair for pair in response.headers if pair[0] != self.name)
        return replace(response, headers=kept if self.value is None else (*kept, (self.name, self.value)))


@dataclass(frozen=True, slots=True)
class Hung(Effect):
    """The body stops after so many bytes, and nothing more is heard; the connection stays open."""

    keep: int = 100
    spoils: ClassVar[bool] = True

    def on_response(self, response: Response) -> Response:
        """See ``Effect``."""
        return replace(response, cut=self.keep, hung=True)


@dataclass(frozen=True, slots=True)
class Oversized(Effect):
    """The body is blown up to so many bytes; on the wire, zipped, it is small."""

    size: int = 6_000_000
    spoils: ClassVar[bool] = True

    def on_response(self, response: Response) -> Response:
        """See ``Effect``."""
        if response.status != 200:
            return response
        kept = tuple(pair for pair in response.headers if pair[0] != "content-encoding")
        return replace(response, body=_blown_up(self.size), headers=(*kept, ("content-encoding", "gzip")))


@lru_cache(1)
def _blown_up(size: int) -> bytes:
    return gzip.compress(b'{"items": []' + b" " * size + b"}", 1)
