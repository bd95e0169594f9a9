"""Pacing, circuit breaker, retries and Retry-After, each by itself; and all of them together: how long they wait."""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.wire import START, ListLedger, LoopClock, run

from freshwax.errors import SourceDown, SourceError
from freshwax.quota import DAY
from freshwax.sources.gate import Gate
from freshwax.sources.http import HttpClient
from freshwax.sources.limits import Breaker, Pacer, Sender, backoff, retry_after


def times_of_passing(per_second: float | None, tasks: int, hold: float = 0.0) -> list[float]:
    async def main() -> list[float]:
        clock = LoopClock()
        pacer = Pacer(per_second, clock)
        passed: list[float] = []

        async def one() -> None:
            await pacer.wait()
            passed.append(clock.monotonic())

        running = [asyncio.create_task(one()) for _ in range(tasks)]
        if hold:
            await asyncio.sleep(0.5)
            pacer.hold(hold)
        await asyncio.gather(*running)
        return passed

    return run(main())


def test_requests_are_spaced_evenly() -> None:
    assert times_of_passing(5, 6) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize("per_second", [0, None])
def test_pacing_can_be_lifted(per_second: float | None) -> None:
    assert times_of_passing(per_second, 100) == [0.0] * 100


def test_a_hold_stops_those_already_waiting_too() -> None:
    passed = times_of_passing(2, 4, hold=8.0)

    assert passed[0] == 0.0
    assert all(at >= 8.5 or at <= 0.5 for at in passed)


BOUND = 60.0  # seconds that a request may wait in all, at five a second


class Handler:
    """Answers requests one after the other as it was told, then with 200."""

    def __init__(self, answers: list[httpx2.Response | Exception]) -> None:
        self.answers = answers

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        answer = self.answers.pop(0) if self.answers else httpx2.Response(200)
        if isinstance(answer, Exception):
            raise answer
        return answer


refusals = st.builds(
    lambda status, wait: httpx2.Response(status, headers={} if wait is None else {"retry-after": str(wait)}),
    st.sampled_from([429, 503]),
    st.none() | st.integers(0, 12) | st.integers(0, 200_000),
)
troubles = refusals | st.builds(httpx2.Response, st.just(500)) | st.builds(httpx2.ConnectError, st.just("refused"))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(troubles, max_size=12),
    st.sampled_from([1.0, 5.0, 50.0]),
    st.integers(0, 30),
    st.integers(0, 12),
    st.integers(0, 2**16),
)
def test_no_wait_is_longer_than_ten_seconds_and_their_sum_is_bounded(
    answers: list[httpx2.Response | Exception], per_second: float, asked: int, frees_in: int, seed: int
) -> None:
    """Whatever the service says, however full the day and these seconds are, with eight requests at once."""

    async def main() -> tuple[list[float], float]:
        clock, ledger = LoopClock(), ListLedger()
        for number in range(asked):  # of yesterday, about to leave the day
            ledger.claim_request("spotify", "x", START - DAY + timedelta(seconds=frees_in + number / 10), None, ())
        for _ in range(asked):  # of another process, this moment
            ledger.claim_request("spotify", "x", START, None, ())
        sender = Sender(
            HttpClient(transport=httpx2.MockTransport(Handler(answers))),
            gate=Gate("spotify", ledger, clock, per_day=2 * asked + 4 or None, per_second=per_second),
            breaker=Breaker("Spotify"),
            pacer=Pacer(per_second, clock),
            clock=clock,
            rng=random.Random(seed),
        )

        async def headers() -> dict[str, str]:
            return {}

        async def one() -> None:
            with contextlib.suppress(SourceError):
                await sender.send("GET", "https://api.spotify.test/v1/x", headers, bucket="x")

        await asyncio.gather(*(one() for _ in range(8)))
        return clock.sleeps, clock.monotonic()

    sleeps, seconds = run(main())
    assert max(sleeps, default=0.0) <= 10.0 + 1e-6  # a sum of fractions
    assert seconds <= BOUND


def test_ten_failed_checks_in_a_row_open_the_circuit() -> None:
    breaker = Breaker("Spotify")
    for _ in range(9):
        breaker.check_failed("x")
    breaker.check_succeeded()
    for _ in range(9):
        breaker.check_failed("x")
        breaker.pass_or_raise()
    breaker.check_failed("no route to host")

    with pytest.raises(SourceDown, match=r"Spotify is left alone .* no route to host"):
        breaker.pass_or_raise()
    breaker.check_succeeded()
    with pytest.raises(SourceDown):
        breaker.pass_or_raise()


def test_retries_end_when_ten_requests_in_a_row_failed() -> None:
    breaker = Breaker("Spotify")
    for _ in range(9):
        breaker.request_failed()
    assert not breaker.ill
    breaker.request_failed()
    assert breaker.ill
    breaker.request_answered()
    assert not breaker.ill


def test_backoff_is_jittered_over_a_doubling_span() -> None:
    rng = random.Random(4)
    spans = [[backoff(retry, rng) for _ in range(500)] for retry in (0, 1)]

    assert [0.45 < max(span) <= limit and min(span) < 0.05 for span, limit in zip(spans, (0.5, 1.0), strict=True)]
    assert max(spans[0]) <= 0.5 < max(spans[1]) <= 1.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5),
        (" 0 ", 0),
        ("52531", 52531),
        ("99999999999999999999", 2 * 86400),
        ("Fri, 06 Mar 2026 12:00:09 GMT", 9),
        ("Fri, 06 Mar 2026 11:00:00 GMT", 0),
        ("Sun Mar  8 00:00:00 2026", 36 * 3600),
        ("Fri, 06 Mar 9999 12:00:09 GMT", 2 * 86400),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: int) -> None:
    assert retry_after({"retry-after": text}, START) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "5 minutes", "\u0665", "1e3", "Fri, 99 Mar 2026 12:00:09 GMT"])
def test_a_retry_after_that_says_nothing_is_none(text: str) -> None:
    assert retry_after({"retry-after": text}, START) is None
    assert retry_after({}, START) is None


def test_a_date_is_taken_against_the_service_s_own_clock() -> None:
    headers = {"retry-after": "Fri, 06 Mar 2026 12:00:09 GMT", "date": "Fri, 06 Mar 2026 12:00:00 GMT"}

    assert retry_after(headers, START + timedelta(hours=3)) == timedelta(seconds=9)


@given(st.text(), st.text())
def test_any_retry_after_is_a_bounded_wait_or_none(text: str, date: str) -> None:
    wait = retry_after({"retry-after": text, "date": date}, datetime(2026, 1, 1, tzinfo=UTC))

    assert wait is None or timedelta(0) <= wait <= timedelta(days=2)
