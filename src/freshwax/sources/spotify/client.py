"""Spotify as a source of releases: what the walk asks for is fetched here, and what is refused becomes an error."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from msgspec import Struct

from freshwax.clock import Clock
from freshwax.errors import AuthError, CheckError, ClockSkew, FreshwaxError, Paused
from freshwax.model import Follow, Group, Observation, Ref
from freshwax.quota import LISTINGS, SEARCH
from freshwax.secret import Secret
from freshwax.sources.base import Candidate, Ledger, Want
from freshwax.sources.gate import Gate
from freshwax.sources.http import HttpClient, Response, answered_at
from freshwax.sources.limits import Breaker, Pacer, Sender, in_flight
from freshwax.sources.spotify.auth import ADVICE, Auth
from freshwax.sources.spotify.depth import deep_walk
from freshwax.sources.spotify.listing import check_walk
from freshwax.sources.spotify.pages import MAX_PAGE, Page, PageRequest
from freshwax.sources.spotify.parse import ApiError, error_of, parse_candidates, parse_page

API_URL = "https://api.spotify.com/v1"
ACCOUNTS_URL = "https://accounts.spotify.com"
PAGE_SIZE = 10  # what every app may ask for
PROBE_ARTIST = "4tZwfgrHOc3mvqYlEYSvVi"  # any that exists
PAGE_SIZE_SETTING = "spotify.page_size"
LARGEST_SKEW = timedelta(days=1)
ABOUT_THE_ARTIST = frozenset({"not_found", "bad_id"})  # failures that say nothing about the service

Walk = Generator[PageRequest, Page, Observation]


class Fact(Struct, frozen=True):
    """Something that ``diagnose`` found out; ``text`` says it, or what to do about it."""

    name: str
    ok: bool
    text: str


class PageSizeError(CheckError):
    """Spotify refused the page size."""


async def run_walk(walk: Walk, ask: Callable[[PageRequest], Awaitable[Page]]) -> Observation:
    """Fetch what a walk asks for until it has its answer.

    ``Paused`` and ``CheckError`` are thrown into the walk, which returns what was answered so far or lets them pass.
    """
    try:
        request = next(walk)
        while True:
            try:
                page = await ask(request)
            except (CheckError, Paused) as stop:
                request = walk.throw(stop)
            else:
                request = walk.send(page)
    except StopIteration as done:
        observation: Observation = done.value
        return observation
    finally:
        walk.close()


class SpotifySource:
    """See ``sources.base.Source``. Belongs to one event loop; ``make_spotify`` puts its parts together.

    ``gate`` says what was spent, and takes the budget.
    """

    name = "spotify"

    def __init__(
        self,
        api_url: str,
        *,
        http: HttpClient,
        sender: Sender,
        auth: Auth,
        ledger: Ledger,
        clock: Clock,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self.gate = sender.gate
        self.auth = auth
        self._api_url = api_url.rstrip("/")
        self._http = http
        self._sender = sender
        self._ledger = ledger
        self._clock = clock
        self._page_size = _page_size(page_size, ledger.setting(PAGE_SIZE_SETTING))
        self._last_date = ""

    @property
    def page_size(self) -> int:
        """How many entries a page holds at most, as far as is known."""
        return self._page_size

    async def check(self, follow: Follow, want: Want) -> Observation:
        """See ``Source.check``."""
        return await self._walk(lambda size: check_walk(follow, want, size), follow, want.market)

    async def read_deep(self, follow: Follow, group: Group, want: Want, pages: int) -> Observation:
        """See ``Source.read_deep``."""
        return await self._walk(lambda size: deep_walk(follow, group, pages, size), follow, want.market)

    async def search_artists(self, name: str) -> list[Candidate]:
        """See ``Source.search_artists``."""
        url = f"{self._api_url}/search?q={quote(name, safe='')}&type=artist&limit={PAGE_SIZE}"
        try:
            response = await self._ask(url, SEARCH)
            self._compare_clocks(response)
            raise_for_status(response)
            return parse_candidates(response.body)
        except CheckError as error:
            raise _about(error, f"the search for {name!r}") from None

    async def diagnose(self, market: str, artist_id: str = PROBE_ARTIST) -> list[Fact]:
        """Find out what stands between this machine and Spotify: three requests at most, one of them for a token.

        What cannot be found out is a fact, too; nothing is raised but for bugs. While paused, it sends nothing.
        """
        try:
            self.gate.check_cooldown(LISTINGS)
            await self.auth.token()
        except Paused as pause:
            return [Fact("quota", ok=False, text=str(pause))]
        except AuthError as error:
            return [Fact("credentials", ok=False, text=str(error))]
        except FreshwaxError as error:
            return [Fact("service", ok=False, text=str(error))]
        facts = [Fact("credentials", ok=True, text="Spotify accepts them")]
        try:
            response = await self._probe(artist_id, market, MAX_PAGE)
            facts.append(self._clock_fact(response))
            try:
                raise_for_status(response, page_size=MAX_PAGE)
                self.learn_page_size(None)
                facts.append(Fact("page size", ok=True, text=f"this app may ask for {MAX_PAGE} a page"))
            except PageSizeError:
                self.learn_page_size(PAGE_SIZE)
                facts.append(Fact("page size", ok=True, text=f"{PAGE_SIZE} a page, as for most apps"))
                raise_for_status(await self._probe(artist_id, market, PAGE_SIZE))
            facts.append(Fact("market", ok=True, text=f"{market} is answered"))
        except AuthError as error:
            facts.append(Fact("credentials", ok=False, text=str(error)))
        except Paused as pause:
            facts.append(Fact("quota", ok=False, text=str(pause)))
        except FreshwaxError as error:
            facts.append(Fact("market", ok=False, text=f"{market}: {error}"))
        return facts

    async def _probe(self, artist_id: str, market: str, size: int) -> Response:
        return await self._ask(self.albums_url(artist_id, (Group.ALBUM,), market, size, 0), LISTINGS)

    def _clock_fact(self, response: Response) -> Fact:
        difference = clock_difference(response, self._clock.now())
        if difference is None:
            return Fact("clock", ok=True, text="Spotify did not say what time it is")
        seconds = difference.total_seconds()
        size = f"{abs(seconds):.0f} s" if abs(seconds) < 600 else f"{abs(seconds) / 3600:.1f} hours"
        text = f"{size} {'behind' if seconds > 0 else 'ahead of'} Spotify's"
        ok = abs(difference) <= LARGEST_SKEW
        return Fact("clock", ok=ok, text=text if ok else f"{text}: set it, for no run goes on with it")

    async def _ask(self, url: str, bucket: str, etag: str | None = None) -> Response:
        """Send one GET through all bounds, with a token; once more with a new one if Spotify refuses it.

        Raises ``AuthError`` if it refuses that, too, and what ``Sender.send`` raises.
        """
        used = ""

        async def headers() -> Mapping[str, str]:
            nonlocal used
            used = await self.auth.token()
            fields = {"Authorization": f"Bearer {used}"}
            if etag is not None:
                fields["If-None-Match"] = etag
            return fields

        response = await self._sender.send("GET", url, headers, bucket=bucket)
        if response.status == 401:
            self.auth.forget(used)
            response = await self._sender.send("GET", url, headers, bucket=bucket)
        if response.status == 401:
            said = error_of(response.body).message or "HTTP 401"
            raise self.auth.refuse(f"Spotify refuses its own access token ({said}): {ADVICE}")
        return response

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    def albums_url(self, artist_id: str, groups: tuple[Group, ...], market: str, limit: int, offset: int) -> str:
        """Return the address of a page of an artist's releases."""
        wanted = "%2C".join(groups)
        where = f"{self._api_url}/artists/{quote(artist_id, safe='')}/albums"
        return f"{where}?include_groups={wanted}&market={quote(market, safe='')}&limit={limit}&offset={offset}"

    def learn_page_size(self, size: int | None) -> None:
        """Remember the largest page that Spotify grants this app; None forgets it."""
        if size is None:
            self._ledger.set_setting(PAGE_SIZE_SETTING, None)
        elif size < self._page_size:
            self._ledger.set_setting(PAGE_SIZE_SETTING, str(size))
            self._page_size = size

    async def _walk(self, start: Callable[[int], Walk], follow: Follow, market: str) -> Observation:
        breaker = self._sender.breaker
        try:
            observation = await self._restarting(start, follow.artist.ref, market)
        except CheckError as error:
            named = _about(error, follow.artist.name or follow.artist.ref.id)
            if error.code in ABOUT_THE_ARTIST:
                breaker.check_succeeded()
            else:
                breaker.check_failed(str(named))
            raise named from None
        breaker.check_succeeded()
        return observation

    async def _restarting(self, start: Callable[[int], Walk], artist: Ref, market: str) -> Observation:
        size = self._page_size

        async def ask(request: PageRequest) -> Page:
            return await self._page(artist, request, market, size)

        try:
            return await run_walk(start(size), ask)
        except PageSizeError:
            size = PAGE_SIZE
            observation = await run_walk(start(size), ask)
            self.learn_page_size(size)  # only now: the smaller page did help
            return observation

    async def _page(self, artist: Ref, request: PageRequest, market: str, size: int) -> Page:
        url = self.albums_url(artist.id, request.groups, market, size, request.offset)
        response = await self._ask(url, LISTINGS, request.etag)
        self._compare_clocks(response)
        if response.status == 304 and request.etag is not None:
            return Page(etag=request.etag, not_modified=True)
        raise_for_status(response, page_size=size)
        etag = response.headers.get("etag", "")
        # It goes back as a header one day: what cannot stand in one is no tag.
        return parse_page(
            response.body, request.offset, etag if etag.isascii() and etag.isprintable() and etag else None
        )

    def _compare_clocks(self, response: Response) -> None:
        stamp = response.headers.get("date", "")
        if stamp == self._last_date:
            return
        difference = clock_difference(response, self._clock.now())
        if difference is not None and abs(difference) > LARGEST_SKEW:
            now = self._clock.now()
            raise ClockSkew(
                f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, Spotify says {now + difference:%Y-%m-%d %H:%M}:"
                " set the clock, then run again"
            )
        self._last_date = stamp


def clock_difference(response: Response, now: datetime) -> timedelta | None:
    """How far the service's clock is ahead of ``now``; None if it does not say."""
    theirs = answered_at(response.headers)
    return None if theirs is None else theirs - now


def raise_for_status(response: Response, page_size: int = PAGE_SIZE) -> None:
    """Raise the error that a status other than 200 stands for."""
    if response.status == 200:
        return
    error = error_of(response.body)
    said = error.message or f"HTTP {response.status}"
    raise _failure(response.status, error, said, page_size)


def _failure(status: int, error: ApiError, said: str, page_size: int) -> FreshwaxError:
    words = said.lower()
    if status == 404:
        return CheckError(f"Spotify does not know this artist ({said})", code="not_found")
    if status == 400 and page_size > PAGE_SIZE and (not error.message or "limit" in words):
        return PageSizeError(f"Spotify grants no pages of {page_size}", code="http")
    if status == 400 and "id" in words.split() and "limit" not in words:
        return CheckError(f"Spotify does not take this for an artist ID ({said})", code="bad_id")
    if status == 403 and "premium" in words:
        return AuthError(f"Spotify blocks this app until its owner has Premium again ({said})")
    if status == 403:
        return CheckError(f"Spotify forbids this ({said})", code="forbidden")
    return CheckError(f"Spotify answered HTTP {status}" + (f" ({said})" if error.message else ""), code="http")


def _about(error: CheckError, whom: str) -> CheckError:
    return CheckError(f"{whom}: {error}", code=error.code, transient=error.transient)


def _page_size(configured: int, learnt: str | None) -> int:
    size = min(max(configured, 1), MAX_PAGE)
    return min(size, int(learnt)) if learnt is not None and learnt.isdecimal() and int(learnt) > 0 else size


def make_spotify(
    client_id: str,
    client_secret: Secret,
    ledger: Ledger,
    clock: Clock,
    *,
    api_url: str = API_URL,
    accounts_url: str = ACCOUNTS_URL,
    requests_per_second: float | None = 5.0,
    requests_per_day: int | None = 580,
    concurrency: int = 8,
    page_size: int = PAGE_SIZE,
    run_id: int | None = None,
    http: HttpClient | None = None,
    rng: random.Random | None = None,
) -> SpotifySource:
    """Put a Spotify source together. No request is sent and nothing heavy imported before the first check.

    UsageError: the network cannot be used as the environment has it, see ``HttpClient.check``.
    ``requests_per_day`` and ``requests_per_second`` hold for all processes on this ledger together.
    """
    http = http or HttpClient(connections=concurrency)
    http.check(api_url, accounts_url)
    gate = Gate(
        SpotifySource.name,
        ledger,
        clock,
        per_day=requests_per_day,
        per_second=requests_per_second,
        run_id=run_id,
    )
    sender = Sender(
        http,
        gate=gate,
        breaker=Breaker("Spotify"),
        pacer=Pacer(requests_per_second, clock),
        clock=clock,
        rng=rng or random.Random(),
        in_flight=in_flight(concurrency, requests_per_second),
        reason_of=lambda body: error_of(body).reason,
    )
    auth = Auth(accounts_url, client_id, client_secret, http=http, sender=sender, clock=clock)
    return SpotifySource(api_url, http=http, sender=sender, auth=auth, ledger=ledger, clock=clock, page_size=page_size)
