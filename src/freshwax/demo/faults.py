"""What can go wrong with a service, as small values that can be combined.

An effect says what goes wrong; a ``Fault`` says for which requests and how often. The server applies every fault that
matches a request, in the order in which they were set.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from freshwax.demo.shapes import Json, error, quota_exceeded, token_error
from freshwax.demo.wire import Response
from freshwax.demo.world import WorldRelease

What = Literal["token", "artist", "albums", "search", "other"]
Where = Literal["api", "token", "all"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as the service understood it. ``groups`` as asked for; ``conditional``: it bore ``If-None-Match``."""

    what: What
    method: str
    path: str
    artist: str | None = None
    groups: tuple[str, ...] = ()
    offset: int | None = None
    limit: int | None = None
    market: str | None = None
    conditional: bool = False


@dataclass(frozen=True, kw_only=True)
class Logged(Asked):
    """A request that was answered: how, with how many bytes of body on the wire, and at which instant of the world."""

    status: int
    bytes: int
    at: datetime


class Effect:
    """The base of all effects: changes nothing. An effect overrides the step at which it interferes."""

    def delay(self) -> float:
        """Seconds to hold the answer back."""
        return 0.0

    def instead(self) -> Response | None:
        """An answer that is given in place of the service's own."""
        return None

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """The listing, before it is cut into pages."""
        return releases

    def on_page(self, page: Json) -> Json:
        """A page of the listing, before it is encoded."""
        return page

    def on_response(self, response: Response) -> Response:
        """The finished response."""
        return response


@dataclass(frozen=True, slots=True)
class Latency(Effect):
    """Answers take so many real seconds; other connections are not held up."""

    seconds: float

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
class Garbage(Effect):
    """Something other than the expected JSON, under any status."""

    body: bytes = b"<html><body><h1>We will be right back</h1></body></html>"
    content_type: str = "text/html"
    status: int = 200

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
class WrongTotal(Effect):
    """``total`` is off by so many."""

    by: int

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "total": page["total"] + self.by} if "total" in page else page


@dataclass(frozen=True, slots=True)
class ShortPages(Effect):
    """Pages lack their last items; ``next`` and ``total`` are as if they had them."""

    hide: int = 2

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": page["items"][: max(0, len(page["items"]) - self.hide)]}


@dataclass(frozen=True, slots=True)
class Hidden(Effect):
    """Certain releases are counted, but not shown."""

    ids: frozenset[str]

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": [item for item in page["items"] if not item or item.get("id") not in self.ids]}


@dataclass(frozen=True, slots=True)
class EmptyPages(Effect):
    """Pages come back empty, yet name a next one."""

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        following = page["href"].replace(f"offset={page['offset']}&", f"offset={page['offset'] + page['limit']}&")
        return {**page, "items": [], "next": page["next"] or following}


@dataclass(frozen=True, slots=True)
class Shuffled(Effect):
    """The listing has no order; the same seed gives the same disorder."""

    seed: int = 0

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """See ``Effect``."""
        return random.Random(self.seed).sample(releases, len(releases))


@dataclass(frozen=True, slots=True)
class Interleaved(Effect):
    """Newest first over all groups, instead of one group after the other."""

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """See ``Effect``."""
        return sorted(releases, key=lambda release: release.date.value, reverse=True)


@dataclass(frozen=True, slots=True)
class OldestFirst(Effect):
    """The listing the wrong way round."""

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:
        """See ``Effect``."""
        return releases[::-1]


@dataclass(frozen=True, slots=True)
class Emptied(Effect):
    """The listing comes back without a single entry."""

    def on_list(self, releases: list[WorldRelease]) -> list[WorldRelease]:  # noqa: ARG002 - none are kept
        """See ``Effect``."""
        return []


@dataclass(frozen=True, slots=True)
class NullItems(Effect):
    """``null`` stands where items should, at these places of a page."""

    places: tuple[int, ...] = (0,)

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": [None if n in self.places else item for n, item in enumerate(page["items"])]}


@dataclass(frozen=True, slots=True)
class NoPageField(Effect):
    """A field of the page is missing, ``total`` or ``next`` or ``items``."""

    name: str

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {key: value for key, value in page.items() if key != self.name}


@dataclass(frozen=True, slots=True)
class ItemField(Effect):
    """A field of every item has another value, or is missing where ``gone``."""

    name: str
    value: object = None
    gone: bool = False

    def on_page(self, page: Json) -> Json:
        """See ``Effect``."""
        return {**page, "items": [item and self._changed(item) for item in page["items"]]}

    def _changed(self, item: Json) -> Json:
        kept = {key: value for key, value in item.items() if key != self.name}
        return kept if self.gone else {**kept, self.name: self.value}


@dataclass(slots=True)
class Fault:
    """An effect and the requests that it strikes: an artist's, those that ``when`` picks, the next ``times`` of them.

    ``where``: the API's requests, the token endpoint's, or all.
    """

    effect: Effect
    artist: str | None = None
    times: int | None = None
    when: Callable[[Asked], bool] | None = None
    where: Where = "api"
    struck: int = field(default=0, init=False)

    def strikes(self, asked: Asked) -> bool:
        """Whether this request is struck; counts it if so."""
        endpoint: Where = "token" if asked.what == "token" else "api"
        hit = (
            (self.times is None or self.struck < self.times)
            and self.where in (endpoint, "all")
            and (self.artist is None or self.artist == asked.artist)
            and (self.when is None or self.when(asked))
        )
        self.struck += hit
        return hit
