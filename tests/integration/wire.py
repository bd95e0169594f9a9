"""A wire to play Spotify on: time that jumps, a handler that answers, a ledger in a list. Contains no product logic."""

from __future__ import annotations

import asyncio
import json
import random
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

import httpx2

from freshwax.model import Artist, ArtistState, Follow, Ref
from freshwax.quota import Cooldown, Limit, lasting
from freshwax.secret import Secret
from freshwax.sources.http import HttpClient
from freshwax.sources.spotify.client import SpotifySource, make_spotify

START = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
API = "https://api.spotify.test/v1"
ACCOUNTS = "https://accounts.spotify.test"
TOKEN = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600}

T = TypeVar("T")
Answer = httpx2.Response | Exception
Handler = Callable[[httpx2.Request], Answer | Awaitable[Answer]]


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise RuntimeError("every task waits for something that will never happen")
        if not events and timeout is not None:
            self.time += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which waiting takes no time: when nothing is left to do, its clock jumps."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time


def run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class LoopClock:
    """The clock of a virtual loop; ``sleeps`` holds what was waited for."""

    def __init__(self, start: datetime = START) -> None:
        self.start = start
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.sleep(seconds)


class ListLedger:
    """A ledger in a list of (instant, bucket, status, bytes)."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.paused: dict[str, Cooldown] = {}
        self.settings: dict[str, str] = {}

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        self.rows[number][2:] = [status, bytes_received]

    def nth_last_request(self, source: str, n: int, now: datetime | None = None) -> datetime | None:
        return self.rows[-n][0] if len(self.rows) >= n else None

    def claim_request(
        self, source: str, bucket: str, at: datetime, run_id: int | None, limits: Sequence[Limit]
    ) -> int | datetime:
        full = [limit.free_at(self.nth_last_request(source, limit.requests), at) for limit in limits]
        if free_at := max(filter(None, full), default=None):
            return free_at
        self.rows.append([at, bucket, None, 0])
        return len(self.rows) - 1

    def notice_ahead(self, source: str, now: datetime) -> int:
        return 0  # no clock is ahead here

    def pull_back(self, source: str, now: datetime) -> int:
        return 0

    def cooldowns(self, source: str) -> list[Cooldown]:
        return list(self.paused.values())

    def set_cooldown(self, cooldown: Cooldown) -> Cooldown:
        kept = lasting(self.paused.get(cooldown.bucket), cooldown)
        self.paused[cooldown.bucket] = kept
        return kept

    def setting(self, name: str) -> str | None:
        return self.settings.get(name)

    def set_setting(self, name: str, value: str | None) -> None:
        self.settings.pop(name, None)
        if value is not None:
            self.settings[name] = value


class Wire:
    """Answers requests through handlers; tokens are granted unless ``on_token`` says otherwise."""

    def __init__(self, on_api: Handler, on_token: Handler | None = None) -> None:
        self.api: list[httpx2.Request] = []
        self.tokens: list[httpx2.Request] = []
        self.times: list[float] = []
        self.in_flight = self.most_in_flight = 0
        self._on_api = on_api
        self._on_token = on_token or (lambda _: httpx2.Response(200, json=TOKEN))

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        of_token = request.url.path == "/api/token"
        (self.tokens if of_token else self.api).append(request)
        self.times.append(asyncio.get_running_loop().time())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            answer = (self._on_token if of_token else self._on_api)(request)
            if not isinstance(answer, httpx2.Response | Exception):
                answer = await answer
        finally:
            self.in_flight -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def requests(self) -> int:
        return len(self.api) + len(self.tokens)


def spotify(
    wire: Wire, ledger: ListLedger | None = None, clock: LoopClock | None = None, **options: Any
) -> SpotifySource:
    return make_spotify(
        "an-app-id",
        Secret("hush-hush"),
        ledger if ledger is not None else ListLedger(),
        clock if clock is not None else LoopClock(),
        api_url=API,
        accounts_url=ACCOUNTS,
        http=HttpClient(transport=httpx2.MockTransport(wire)),
        rng=random.Random(1),
        **options,
    )


async def blackhole(request: httpx2.Request) -> Answer:
    """Accept the connection, then say nothing until the client gives up."""
    await asyncio.sleep(request.extensions["timeout"]["read"])
    return httpx2.ReadTimeout("", request=request)


async def unreachable(request: httpx2.Request) -> Answer:
    """Never accept the connection."""
    await asyncio.sleep(request.extensions["timeout"]["connect"])
    return httpx2.ConnectTimeout("", request=request)


async def dripping(request: httpx2.Request) -> Answer:
    """Send a byte a second, forever."""

    async def drip() -> Any:
        while True:
            await asyncio.sleep(1)
            yield b"{"

    return httpx2.Response(200, content=drip())


def error(status: int, message: str = "", headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"status": status, "message": message, **more}}, headers=headers)


def album(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"album{number}",
        "name": f"Album {number}",
        "album_type": "album",
        "release_date": f"20{99 - number:02}-01-01",
        "release_date_precision": "day",
        "total_tracks": 9,
        "artists": [{"id": "a1", "name": "Someone"}],
        **more,
    }


def page(*items: Any, date: datetime | None = START, total: int | None = None, **headers: str) -> httpx2.Response:
    fields = dict(headers)
    if date is not None:
        fields["date"] = format_datetime(date, usegmt=True)
    body = {"items": list(items), "total": len(items) if total is None else total, "next": None}
    return httpx2.Response(200, content=json.dumps(body), headers=fields)


def follow(number: int = 1, name: str | None = None) -> Follow:
    ref = Ref("spotify", f"{number:022}")
    artist = Artist(ref, name or f"Artist {number}", ArtistState.ACTIVE, START)
    return Follow(artist, {}, {})
