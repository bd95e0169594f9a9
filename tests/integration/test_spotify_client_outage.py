"""Outages, refusals and quotas: what they cost 500 artists with 8 in flight. All waiting is simulated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest
from tests.integration.wire import (
    START,
    Answer,
    Handler,
    ListLedger,
    LoopClock,
    Wire,
    album,
    blackhole,
    dripping,
    error,
    follow,
    page,
    run,
    spotify,
    unreachable,
)

from freshwax.errors import AuthError, CheckError, Paused, SourceDown, SourceError
from freshwax.model import DEFAULT_GROUPS
from freshwax.quota import Cooldown
from freshwax.sources.base import Want
from freshwax.sources.spotify.client import SpotifySource

WANT = Want(DEFAULT_GROUPS, "SE", date(2025, 12, 1))


@dataclass
class Told:
    """How a run over many artists went."""

    ok: int = 0
    failed: list[CheckError] = field(default_factory=list)
    ended: list[SourceError | AuthError] = field(default_factory=list)
    ended_at: list[float] = field(default_factory=list)
    seconds: float = 0.0
    source: SpotifySource = field(init=False)
    clock: LoopClock = field(default_factory=LoopClock)
    ledger: ListLedger = field(default_factory=ListLedger)


def track(wire: Wire, artists: int = 500, workers: int = 8, ledger: ListLedger | None = None, **options: Any) -> Told:
    """Check artists as a tracker does: failed ones are noted, an error of the source as a whole ends it."""
    told = Told(ledger=ledger or ListLedger())

    async def main() -> None:
        told.source = spotify(wire, told.ledger, told.clock, **options)
        waiting = list(range(artists, 0, -1))

        async def work() -> None:
            while waiting and not told.ended:
                try:
                    await told.source.check(follow(waiting.pop()), WANT)
                    told.ok += 1
                except CheckError as failure:
                    told.failed.append(failure)
                except (SourceError, AuthError) as end:
                    told.ended.append(end)
                    told.ended_at.append(told.clock.monotonic())

        await asyncio.gather(*(work() for _ in range(workers)))
        told.seconds = told.clock.monotonic()
        await told.source.aclose()

    run(main())
    return told


def refused(request: httpx2.Request) -> Answer:
    return httpx2.ConnectError("All connection attempts failed", request=request)


def broken(_: httpx2.Request) -> Answer:
    return error(500, "Internal server error")


def portal(_: httpx2.Request) -> Answer:
    return httpx2.Response(200, text="<html>Welcome to the hotel</html>")


def elsewhere(_: httpx2.Request) -> Answer:
    return httpx2.Response(302, headers={"location": "https://hotel.test/login"})


OUTAGES: list[Handler] = [refused, broken, unreachable, blackhole, dripping, portal, elsewhere]


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_of_the_api_reports_itself_within_a_minute_and_50_requests(outage: Handler) -> None:
    wire = Wire(outage)
    told = track(wire)

    assert told.seconds <= 60
    assert wire.requests <= 50
    assert told.ok == 0
    assert 10 <= len(told.failed) <= 17
    assert {type(end) for end in told.ended} == {SourceDown}
    assert wire.times[-1] <= told.ended_at[0], "asked on with the circuit open"
    assert len(told.ledger.rows) == len(wire.api)
    assert all(row[2] is not None for row in told.ledger.rows)


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_of_the_token_service_reports_itself_within_a_minute_and_50_requests(outage: Handler) -> None:
    wire = Wire(lambda _: pytest.fail("asked without a token"), on_token=outage)
    told = track(wire)

    assert told.seconds <= 60
    assert wire.requests <= 3
    assert {type(end) for end in told.ended} == {SourceDown}
    assert "no access token" in str(told.ended[0])
    assert told.ledger.rows == []


@pytest.mark.parametrize("outage", [refused, broken, unreachable, blackhole, dripping])
@pytest.mark.parametrize("artists", [1, 3, 9])
def test_an_outage_of_few_artists_ends_as_soon(outage: Handler, artists: int) -> None:
    wire = Wire(outage)
    told = track(wire, artists)

    assert told.seconds <= 60
    assert len(wire.api) <= 3 * artists
    assert len(told.failed) == artists


def test_an_outage_in_mid_run_spares_what_was_learnt_and_the_quota() -> None:
    wire = Wire(lambda _: page(album(1)) if len(wire.api) <= 200 else error(500))
    told = track(wire)

    assert told.ok == 200
    assert wire.requests <= 250
    assert {type(end) for end in told.ended} == {SourceDown}


def test_refused_credentials_cost_one_request() -> None:
    wire = Wire(refused, on_token=lambda _: httpx2.Response(400, json={"error": "invalid_client"}))
    told = track(wire)

    assert (len(wire.tokens), len(wire.api)) == (1, 0)
    assert {type(end) for end in told.ended} == {AuthError}
    assert "freshwax init" in str(told.ended[0])
    assert "hush-hush" not in str(told.ended[0])


def test_a_blip_is_retried_and_nobody_notices() -> None:
    seen: Counter[str] = Counter()

    def twice_ill(request: httpx2.Request) -> Answer:
        seen[str(request.url)] += 1
        return page(album(1)) if seen[str(request.url)] > 2 else error(502)

    told = track(Wire(twice_ill), artists=4)

    assert (told.ok, told.failed, told.ended) == (4, [], [])
    assert len(told.ledger.rows) == 12
    assert told.source.gate.cost.requests == 12
    assert max(told.clock.sleeps) <= 1.5


def test_one_artist_that_always_fails_does_not_open_the_circuit() -> None:
    wire = Wire(lambda request: error(500) if int(request.url.path.split("/")[3]) % 3 == 0 else page(album(1)))
    told = track(wire, artists=99)

    assert (told.ok, len(told.failed), told.ended) == (66, 33, [])
    assert {failure.code for failure in told.failed} == {"server"}


# -- 429 -----------------------------------------------------------------------------------------------------------


def test_a_short_retry_after_is_waited_for_by_everybody() -> None:
    times: list[float] = []

    def hasty(_: httpx2.Request) -> Answer:
        times.append(asyncio.get_running_loop().time())
        return error(429, "API rate limit exceeded", {"retry-after": "7"}) if len(times) == 5 else page(album(1))

    told = track(Wire(hasty), artists=30)

    assert (told.ok, told.ended) == (30, [])
    assert len(told.ledger.rows) == 31
    assert [at for at in times if times[4] < at < times[4] + 6.9] == []
    assert max(told.clock.sleeps) <= 10


@pytest.mark.parametrize(
    ("answer", "reason", "pause"),
    [
        (lambda: error(429, "x", {"retry-after": "11"}), "rate limit", timedelta(seconds=11)),
        (lambda: error(429, "x", {"retry-after": "52531"}), "rate limit", timedelta(seconds=52531)),
        (
            lambda: error(429, "x", {"retry-after": "Fri, 06 Mar 2026 14:05:00 GMT"}),
            "rate limit",
            timedelta(minutes=125),
        ),
        (lambda: error(503, "x", {"retry-after": "120"}), "rate limit", timedelta(seconds=120)),
        (lambda: error(429, "x", reason="QUOTA_EXCEEDED"), "quota exceeded", timedelta(hours=1)),
        (
            lambda: error(429, "x", {"retry-after": "48925"}, reason="QUOTA_EXCEEDED"),
            "quota exceeded",
            timedelta(seconds=48925),
        ),
        (
            lambda: error(429, "x", {"retry-after": "3"}, reason="QUOTA_EXCEEDED"),
            "quota exceeded",
            timedelta(seconds=3),
        ),
    ],
)
def test_a_long_refusal_is_state_and_ends_all_at_once(
    answer: Callable[[], httpx2.Response], reason: str, pause: timedelta
) -> None:
    wire = Wire(lambda _: answer() if len(wire.api) >= 20 else page(album(1)))
    told = track(wire)

    assert told.ok == 19
    assert {type(end) for end in told.ended} == {Paused}
    (kept,) = told.ledger.paused.values()
    assert (kept.reason, kept.bucket) == (reason, "artist-albums" if reason == "quota exceeded" else "")
    assert pause - timedelta(seconds=1) <= kept.until - START <= pause + timedelta(seconds=10)
    assert len(wire.api) <= 28
    assert told.seconds < 10


@pytest.mark.parametrize("headers", [{}, {"retry-after": "0"}, {"retry-after": "10"}, {"retry-after": "soon"}])
def test_short_refusals_without_end_become_a_pause(headers: dict[str, str]) -> None:
    wire = Wire(lambda _: httpx2.Response(429, text="Too many requests", headers=headers))
    told = track(wire)

    assert {type(end) for end in told.ended} == {Paused}
    assert wire.requests <= 50
    assert told.seconds <= 60
    assert max(told.clock.sleeps) <= 10
    assert [kept.reason for kept in told.ledger.paused.values()] == ["rate limit"]


def test_a_token_service_that_refuses_for_long_is_asked_once() -> None:
    async def slowly(_: httpx2.Request) -> Answer:
        await asyncio.sleep(3)
        return httpx2.Response(429, headers={"retry-after": "600"})

    wire = Wire(refused, on_token=slowly)
    told = track(wire)

    assert (len(wire.tokens), len(wire.api)) == (1, 0)
    assert {type(end) for end in told.ended} == {Paused}


def test_a_spent_quota_of_the_day_sends_nothing_and_loses_nothing() -> None:
    wire = Wire(lambda _: page(album(1)))
    told = track(wire, requests_per_day=100)

    assert len(wire.api) == len(told.ledger.rows) == told.ok == 100
    assert {(type(end), getattr(end, "reason", "")) for end in told.ended} == {(Paused, "quota")}
    assert told.ledger.paused == {}


@pytest.mark.parametrize("bucket", ["", "artist-albums"])
def test_a_cooldown_of_an_earlier_run_costs_no_request_not_even_a_token(bucket: str) -> None:
    wire = Wire(lambda _: page(album(1)))
    ledger = ListLedger()
    ledger.set_cooldown(Cooldown("spotify", START + timedelta(hours=1), "quota exceeded", bucket, START))
    told = track(wire, ledger=ledger)

    assert wire.requests == 0
    assert {type(end) for end in told.ended} == {Paused}


def test_never_more_in_flight_than_allowed_and_paced() -> None:
    async def slow(_: httpx2.Request) -> Answer:
        await asyncio.sleep(5)
        return page(album(1))

    wire = Wire(slow)
    told = track(wire, artists=40, workers=40)

    assert wire.most_in_flight == 8
    assert told.seconds == pytest.approx(40 / 8 * 5, abs=3)
