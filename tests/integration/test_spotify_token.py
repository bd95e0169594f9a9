"""The access token at the wire: fetched once for all, renewed in time, refused for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from tests.integration.test_spotify_client import WANT, failing, use
from tests.integration.wire import (
    TOKEN,
    Answer,
    ListLedger,
    LoopClock,
    Wire,
    album,
    error,
    follow,
    page,
    run,
)

from freshwax.errors import AuthError, CheckError
from freshwax.secret import Secret
from freshwax.sources.http import HttpClient
from freshwax.sources.spotify.client import SpotifySource, make_spotify


def checks(count: int) -> Callable[[SpotifySource], Awaitable[Any]]:
    return lambda source: asyncio.gather(*(source.check(follow(number), WANT) for number in range(count)))


def test_many_checks_at_once_fetch_one_token() -> None:
    async def slow(_: httpx2.Request) -> Answer:
        await asyncio.sleep(3)
        return httpx2.Response(200, json=TOKEN)

    wire = Wire(lambda _: page(album(1)), on_token=slow)
    use(wire, checks(20))

    (asked,) = wire.tokens
    assert asked.headers["authorization"] == "Basic YW4tYXBwLWlkOmh1c2gtaHVzaA=="
    assert asked.content == b"grant_type=client_credentials"


def test_a_token_is_renewed_before_it_expires() -> None:
    async def action(source: SpotifySource) -> None:
        await source.check(follow(), WANT)
        await asyncio.sleep(3600 - 61)
        await source.check(follow(), WANT)
        assert len(wire.tokens) == 1
        await asyncio.sleep(2)
        await source.check(follow(), WANT)
        assert len(wire.tokens) == 2

    wire = Wire(lambda _: page(album(1), date=None))
    use(wire, action)


@pytest.mark.parametrize("per_second", [0.1, 0.15, 0.5, 0.69, 5])
def test_however_slow_the_pace_no_request_sleeps_longer_than_ten_seconds(per_second: float) -> None:
    clock = LoopClock()
    wire = Wire(lambda _: page(album(1)))
    use(wire, checks(20), clock=clock, requests_per_second=per_second, concurrency=8)

    assert len(wire.api) == 20
    assert max(clock.sleeps) <= 10.0
    assert wire.times[-1] >= 19 / per_second - 0.1


def test_an_unexpected_status_is_said_once() -> None:
    assert str(failing(lambda _: httpx2.Response(307), CheckError)).endswith("Spotify answered HTTP 307")
    assert str(failing(lambda _: error(418, "Tea"), CheckError)).endswith("Spotify answered HTTP 418 (Tea)")


def test_a_token_that_is_refused_is_renewed_once_for_all() -> None:
    granted: list[str] = []

    def grant(_: httpx2.Request) -> Answer:
        granted.append(f"token-{len(granted)}")
        return httpx2.Response(200, json=TOKEN | {"access_token": granted[-1]})

    async def serve(request: httpx2.Request) -> Answer:
        await asyncio.sleep(2)
        stale = request.headers["authorization"] == "Bearer token-0"
        return error(401, "The access token expired") if stale else page(album(1))

    wire = Wire(serve, on_token=grant)
    use(wire, checks(8), requests_per_second=None)

    assert len(granted) == 2
    assert len(wire.api) == 16


def test_a_fresh_token_that_is_refused_is_an_auth_error_for_all() -> None:
    failure = failing(lambda _: error(401, "Invalid access token"), AuthError)

    assert "Invalid access token" in str(failure)
    assert "token-1" not in str(failure)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_say_what_to_do(status: int) -> None:
    def refuse(_: httpx2.Request) -> Answer:
        return httpx2.Response(status, json={"error": "invalid_client", "error_description": "Invalid client"})

    async def action(source: SpotifySource) -> None:
        for _ in range(3):
            with pytest.raises(AuthError, match=r"Invalid client.*developer\.spotify\.com.*freshwax init"):
                await source.check(follow(), WANT)

    wire = Wire(lambda _: pytest.fail("asked"), on_token=refuse)
    use(wire, action)

    assert len(wire.tokens) == 1


@pytest.mark.parametrize(("client_id", "secret"), [("", "x"), ("x", ""), (" ", " ")])
def test_missing_credentials_cost_no_request(client_id: str, secret: str) -> None:
    async def main() -> None:
        http = HttpClient(transport=httpx2.MockTransport(lambda _: pytest.fail("asked")))
        source = make_spotify(client_id, Secret(secret), ListLedger(), LoopClock(), http=http)
        with pytest.raises(
            AuthError, match=r"freshwax init.*FRESHWAX_SPOTIFY_CLIENT_ID.*FRESHWAX_SPOTIFY_CLIENT_SECRET"
        ):
            await source.check(follow(), WANT)

    run(main())
