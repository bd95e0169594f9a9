"""The Web API's manners, without a socket: from a request to a reply, over a world at an instant."""

from __future__ import annotations

import base64
import math
import re
import secrets
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec

from freshwax.clock import Clock, SystemClock
from freshwax.demo import shapes
from freshwax.demo.faults import PATIENCE, Asked, Effect, Fault, Logged, What
from freshwax.demo.shapes import JSON_TYPE, Body, error, token_error
from freshwax.demo.wire import Reply, Request, Response
from freshwax.demo.world import World, WorldArtist
from freshwax.model import Group

BASE62_ID = re.compile(r"[0-9A-Za-z]{22}")
MARKET = re.compile(r"[A-Z]{2}")
SEARCH_FIELD = re.compile(r'^artist:"?(.*?)"?$')
PAGES_KEPT = 4_096
DEFAULT_LIMIT = 5
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Manners:
    """How the service behaves towards its clients.

    ``page_max``: the largest ``limit``. ``quota``: requests in a rolling 24 hours of the world's time; ``rate``:
    requests in so many real seconds. None lifts either. Refused requests count towards neither.
    """

    client_id: str = "demo-client"
    client_secret: str = "demo-secret"  # noqa: S105 - the stand-in's own
    page_max: int = 10
    quota: int | None = None
    rate: tuple[int, float] | None = None
    token_seconds: int = 3_600


class Refused(Exception):
    """The request is answered with this error response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class SpotifyApi:
    """Answers requests as Spotify's Web API and token endpoint would, if the world were real and it were ``at``.

    ``faults`` are applied in order. ``latency``: real seconds before every answer. ``log`` holds every request that was
    answered, the control path's aside.
    """

    def __init__(self, world: World, at: datetime, manners: Manners, clock: Clock | None = None) -> None:
        self.world = world
        self.at = at
        self.manners = manners
        self.base = ""
        self.latency = 0.0
        self.faults: list[Fault] = []
        self.log: list[Logged] = []
        self._monotonic = (clock or SystemClock()).monotonic  # for the rate limit only: it runs in real seconds
        self._tokens: dict[str, datetime] = {}
        self._spent: deque[datetime] = deque()
        self._recent: deque[float] = deque()
        self._page = lru_cache(PAGES_KEPT)(self._kept_page)

    def expire_tokens(self) -> None:
        """Every token given so far is refused from now on."""
        self._tokens.clear()

    def answer(self, request: Request) -> Reply:
        """Answer a request and log it."""
        asked = understand(request)
        active = [fault.effect for fault in tuple(self.faults) if fault.strikes(asked)]
        if any(effect.ends_tokens for effect in active):
            self.expire_tokens()
        response = next((own for own in (effect.instead() for effect in active) if own is not None), None)
        if response is None:
            try:
                response = self._serve(request, asked, active)
            except Refused as refused:
                response = refused.response
        response = replace(response, headers=(("date", self._date()), *response.headers))
        for effect in active:
            response = effect.on_response(response)
        size = len(response.body) if not response.reset else 0
        readable = asked.what == "albums" and _arrives(response, active)
        shown = response.shown if readable else ()
        entry = Logged(**vars(asked), status=response.status, bytes=size, at=self.at, readable=readable, shown=shown)
        self.log.append(entry)
        return Reply(response, self.latency + sum(effect.delay() for effect in active))

    def _date(self) -> str:
        return format_datetime(self.at.astimezone(UTC), usegmt=True)

    def _serve(self, request: Request, asked: Asked, active: list[Effect]) -> Response:
        if asked.what == "token":
            return self._token(request)
        self._authorise(request.headers.get("authorization"))
        self._keep_rate()
        self._spend_quota()
        if asked.method != "GET":
            raise Refused(error(405, "Method not allowed"))
        if asked.what == "search":
            return self._search(request, asked).response(request.headers)
        if asked.artist is None:
            raise Refused(_elsewhere(asked.path))
        artist = self._artist(asked.artist)
        if asked.what == "artist":
            return Body.of(shapes.full_artist(self.base, artist, self.at)).response(request.headers)
        return self._albums(asked, active).response(request.headers)

    def _token(self, request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs(request.body.decode("latin-1")).items()}
        given = _credentials(request.headers.get("authorization"), form)
        if given is None:
            return token_error("invalid_client")
        if given != (self.manners.client_id, self.manners.client_secret):
            return token_error("invalid_client", "Invalid client")
        if form.get("grant_type") != "client_credentials":
            return token_error("unsupported_grant_type", "grant_type parameter is missing or unknown")
        token = secrets.token_urlsafe(32)
        self._tokens[token] = self.at + timedelta(seconds=self.manners.token_seconds)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.manners.token_seconds}
        return Response(200, msgspec.json.encode(answer), (JSON_TYPE,))

    def _authorise(self, header: str | None) -> None:
        if not header:
            raise Refused(_unauthorised("No token provided", "missing_token"))
        expires = self._tokens.get(header.removeprefix("Bearer "))
        if expires is None:
            raise Refused(_unauthorised("Invalid access token", "invalid_token"))
        if expires <= self.at:
            raise Refused(_unauthorised("The access token expired", "invalid_token"))

    def _keep_rate(self) -> None:
        if self.manners.rate is None:
            return
        most, seconds = self.manners.rate
        now = self._monotonic()
        while self._recent and self._recent[0] <= now - seconds:
            self._recent.popleft()
        if len(self._recent) >= most:
            wait = str(max(1, math.ceil(self._recent[0] + seconds - now)))
            raise Refused(error(429, "API rate limit exceeded", headers=(("retry-after", wait),)))
        self._recent.append(now)

    def _spend_quota(self) -> None:
        if self.manners.quota is None:
            return
        while self._spent and self._spent[0] <= self.at - DAY:
            self._spent.popleft()
        if len(self._spent) >= self.manners.quota:
            freed = self._spent[0] if self._spent else self.at
            raise Refused(shapes.quota_exceeded(math.ceil((freed + DAY - self.at).total_seconds())))
        self._spent.append(self.at)

    def _artist(self, artist_id: str) -> WorldArtist:
        if not BASE62_ID.fullmatch(artist_id):
            raise Refused(error(400, "Invalid base62 id"))
        artist = self.world.artist(artist_id, self.at)
        if artist is None:
            raise Refused(error(404, "Resource not found"))
        return artist

    def _albums(self, asked: Asked, active: list[Effect]) -> Body:
        assert asked.artist is not None
        window = self._window(asked)
        if not set(asked.groups) <= set(Group):
            raise Refused(error(400, "Invalid include_groups"))
        if asked.market is not None and not MARKET.fullmatch(asked.market):
            raise Refused(error(400, "Invalid market code"))
        if active:
            return self._make_page(asked.artist, asked.groups, asked.market, window, active)
        version = self.world.version(asked.artist, self.at)
        return self._page(asked.artist, asked.groups, asked.market, window, version)

    def _window(self, asked: Asked) -> tuple[int, int]:
        """Offset and limit of the page asked for, if they are allowed."""
        offset, limit = asked.offset, asked.limit
        if limit is None or not 1 <= limit <= self.manners.page_max:
            raise Refused(error(400, "Invalid limit"))
        if offset is None or offset < 0:
            raise Refused(error(400, "Invalid offset"))
        return offset, limit

    def _kept_page(
        self, artist_id: str, groups: tuple[str, ...], market: str | None, window: tuple[int, int], version: int
    ) -> Body:
        del version  # part of the cache's key: what was listed at another version is another page
        return self._make_page(artist_id, groups, market, window, [])

    def _make_page(
        self,
        artist_id: str,
        groups: tuple[str, ...],
        market: str | None,
        window: tuple[int, int],
        active: list[Effect],
    ) -> Body:
        # Without a market, and without a user whose country would be one, nothing counts as available.
        wanted = [Group(group) for group in groups] or list(Group)
        releases = self.world.listings(artist_id, wanted, self.at) if market else []
        for effect in active:
            releases = effect.on_list(releases)
        offset, limit = window
        page = shapes.page(
            f"{self.base}/artists/{artist_id}/albums",
            {name: value for name, value in (("include_groups", ",".join(groups)), ("market", market)) if value},
            [shapes.album(self.base, one, self.world.artists, self.at) for one in releases[offset : offset + limit]],
            total=len(releases),
            offset=offset,
            limit=limit,
        )
        for effect in active:
            page = effect.on_page(page)
        return Body.of(page, _ids(page.get("items")))

    def _search(self, request: Request, asked: Asked) -> Body:
        text = request.query.get("q", "")
        if not text:
            raise Refused(error(400, "No search query"))
        if request.query.get("type") != "artist":
            raise Refused(error(400, "Bad search type field"))
        offset, limit = self._window(asked)
        found = self._named(SEARCH_FIELD.sub(r"\1", text).casefold())
        items = [shapes.full_artist(self.base, artist, self.at) for artist in found[offset : offset + limit]]
        query = {"query": text, "type": "artist"}
        page = shapes.page(f"{self.base}/search", query, items, total=len(found), offset=offset, limit=limit)
        return Body.of({"artists": page})

    def _named(self, wanted: str) -> list[WorldArtist]:
        """The artists whose names hold all words wanted; those that bear just this name first."""
        words = wanted.split()
        living = (artist for artist in self.world.artists.values() if artist.exists_at(self.at))
        found = [artist for artist in living if all(word in artist.name.casefold() for word in words)]
        return sorted(found, key=lambda artist: (artist.name.casefold() != wanted, artist.name, artist.id))


def _arrives(response: Response, active: list[Effect]) -> bool:
    """Whether the client gets a list that it can read, or hears that it is as it was (which has no body to spoil)."""
    if response.status == 304:
        return all(effect.delay() < PATIENCE for effect in active)
    return response.status == 200 and not response.reset and not any(effect.spoils for effect in active)


def _ids(items: object) -> tuple[str, ...]:
    """The IDs of the items of a page, as far as they have any."""
    listed = items if isinstance(items, list) else []
    return tuple(item["id"] for item in listed if isinstance(item, dict) and isinstance(item.get("id"), str))


def understand(request: Request) -> Asked:
    """What a request is about, as far as its path and query tell."""
    query, parts = request.query, request.path.strip("/").split("/")
    what: What = "other"
    artist: str | None = None
    match parts:
        case ["api", "token"]:
            what = "token"
        case ["v1", "search"]:
            what = "search"
        case ["v1", "artists", artist]:
            what = "artist"
        case ["v1", "artists", artist, "albums"]:
            what = "albums"
    return Asked(
        what=what,
        method=request.method,
        path=request.path,
        artist=artist,
        groups=tuple(group for group in query.get("include_groups", "").split(",") if group),
        offset=_number(query.get("offset", "0")),
        limit=_number(query.get("limit", str(DEFAULT_LIMIT))),
        market=query.get("market"),
        conditional="if-none-match" in request.headers,
    )


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _credentials(header: str | None, form: dict[str, str]) -> tuple[str, str] | None:
    """Client ID and secret, from the Basic authorization or from the form."""
    if header and header.startswith("Basic "):
        try:
            user, colon, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return None
        return (user, password) if colon else None
    if "client_id" in form:
        return form["client_id"], form.get("client_secret", "")
    return None


def _unauthorised(message: str, code: str) -> Response:
    return error(401, message, headers=(("www-authenticate", f'Bearer realm="spotify", error="{code}"'),))


def _elsewhere(path: str) -> Response:
    """The answer for paths that the stand-in does not serve: removed endpoints are forbidden, others unknown."""
    if path.rstrip("/") in {"/v1/artists", "/v1/albums", "/v1/browse/new-releases"}:
        return error(403, "Forbidden")
    return error(404, "Service not found")
