"""What every fault is made of: a request as understood, an effect on its answer, and which requests it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from freshwax.demo.shapes import Json
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
    """A request that was answered: how, with how many bytes of body on the wire, and at which instant of the world.

    ``readable``: it brought a list of releases, whole and well-formed; ``shown`` names the releases on that, as the
    body did.
    """

    status: int
    bytes: int
    at: datetime
    readable: bool = False
    shown: tuple[str, ...] = ()


class Effect:
    """The base of all effects: changes nothing. An effect overrides the step at which it interferes.

    ``spoils``: the client gets nothing that it could read, whatever the status.
    """

    spoils: ClassVar[bool] = False
    ends_tokens: ClassVar[bool] = False

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
