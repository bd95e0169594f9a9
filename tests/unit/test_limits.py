"""Pacing, quota, budget, cooldown, circuit breaker and Retry-After, each by itself."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.integration.wire import START, ListLedger, LoopClock, run

from freshwax.errors import Paused, SourceDown
from freshwax.model import Cost
from freshwax.sources.limits import Breaker, Gate, Pacer, backoff, retry_after


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def gate(clock: HandClock, ledger: ListLedger | None = None, **options: object) -> Gate:
    return Gate("spotify", ledger if ledger is not None else ListLedger(), clock, **options)  # type: ignore[arg-type]


def refusal(tested: Gate) -> Paused:
    with pytest.raises(Paused) as caught:
        tested.admit("x")
    return caught.value


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


def test_the_quota_is_that_of_the_last_24_hours() -> None:
    clock, ledger = HandClock(), ListLedger()
    tested = gate(clock, ledger, per_day=3)
    for _ in range(3):
        tested.admit("x")
        clock.instant += timedelta(hours=1)

    first = refusal(tested)
    assert (first.reason, first.until) == ("quota", START + timedelta(hours=24))
    assert "2026-03-07 12:00 UTC" in str(first)
    assert len(ledger.rows) == 3

    clock.instant = START + timedelta(hours=24)
    tested.admit("x")
    assert refusal(tested).until == START + timedelta(hours=25)


def test_the_quota_counts_what_earlier_runs_asked() -> None:
    ledger = ListLedger()
    gate(HandClock(), ledger).admit("x")

    assert refusal(gate(HandClock(), ledger, per_day=1)).reason == "quota"


def test_a_request_from_the_near_future_counts_from_now_on() -> None:
    ledger = ListLedger()
    ledger.record_request("spotify", "x", START + timedelta(hours=20), None)

    assert refusal(gate(HandClock(), ledger, per_day=1)).until == START + timedelta(days=1)


def test_a_ledger_from_the_far_future_does_not_shut_freshwax_out() -> None:
    ledger = ListLedger()
    ledger.record_request("spotify", "x", START + timedelta(days=400), None)

    assert gate(HandClock(), ledger, per_day=1).admit("x") == 1


@pytest.mark.parametrize("per_day", [None, 0])
def test_no_quota_is_no_limit(per_day: int | None) -> None:
    tested = gate(HandClock(), per_day=per_day)

    for _ in range(2000):
        tested.admit("x")


def test_a_budget_ends_until_more_is_allowed() -> None:
    tested = gate(HandClock(), budget=1)
    tested.admit("x")

    spent = refusal(tested)
    assert (spent.reason, spent.until) == ("budget", None)
    tested.allow(2)
    tested.admit("x")
    assert tested.budget == 1
    tested.allow(None)
    tested.admit("x")
    assert tested.budget is None


def test_a_cooldown_of_an_earlier_run_is_honoured_and_ends() -> None:
    clock = HandClock()
    until = START + timedelta(minutes=5)
    tested = gate(clock, cooldown=(until, "cooldown"))

    assert (refusal(tested).reason, refusal(tested).until) == ("cooldown", until)
    clock.instant = until
    tested.admit("x")


def test_a_pause_closes_the_gate_for_all_and_the_longest_counts() -> None:
    tested = gate(HandClock())
    for minutes, reason in ((60, "quota"), (5, "cooldown")):
        with pytest.raises(Paused, match=r"spotify is paused until 2026-03-06 1[23]:0[05] UTC"):
            tested.pause(START + timedelta(minutes=minutes), reason)

    assert tested.cooldown == (START + timedelta(minutes=60), "quota")
    assert refusal(tested).reason == "quota"


def test_a_request_is_in_the_ledger_before_it_is_sent_and_counted_after() -> None:
    ledger = ListLedger()
    tested = gate(HandClock(), ledger, run_id=7)

    number = tested.admit("artist-albums")
    assert ledger.rows == [[START, "artist-albums", None, 0]]
    tested.settle(number, 304, 120)
    tested.settle(tested.admit("search"), 200, 1000)
    tested.settle(tested.admit("search"), 0, 0)

    assert [row[1:] for row in ledger.rows] == [["artist-albums", 304, 120], ["search", 200, 1000], ["search", 0, 0]]
    assert tested.cost == Cost(requests=3, not_modified=1, bytes_received=1120)


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
