"""The same job at the same minute, day after day, with a list as long as the day's quota."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.wire import START, ListLedger, LoopClock, Wire, follow, page, run, spotify

from freshwax.errors import Paused
from freshwax.model import DEFAULT_GROUPS
from freshwax.sources.base import Want

DAY = timedelta(hours=24)
WANT = Want(DEFAULT_GROUPS, "US", START.date())


def ledger_of_yesterday(requests: int, later: timedelta) -> ListLedger:
    ledger = ListLedger()
    for number in range(requests):
        ledger.claim_request("spotify", "x", START - DAY + later + number * timedelta(seconds=0.2), 1, ())
    return ledger


def checks(ledger: ListLedger, number: int, **options: Any) -> list[object]:
    wire = Wire(lambda _: page())

    async def all_of_them() -> list[object]:
        source = spotify(wire, ledger, LoopClock(), requests_per_day=number, **options)
        workers = asyncio.Semaphore(8)

        async def check() -> object:
            async with workers:
                return await source.check(follow(), WANT)

        results = await asyncio.gather(*(check() for _ in range(number)), return_exceptions=True)
        await source.aclose()
        return results

    return run(all_of_them())


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=1), timedelta(seconds=8)])
def test_a_daily_run_is_not_stopped_by_yesterdays(later: timedelta) -> None:
    ledger = ledger_of_yesterday(40, later)
    assert [one for one in checks(ledger, 40) if isinstance(one, Exception)] == []
    asked = [row[0] for row in ledger.rows]
    assert len(asked) == 80
    assert all(later - earlier >= DAY for earlier, later in zip(asked, asked[40:], strict=False))


def test_a_quota_that_is_free_in_minutes_is_not_waited_for() -> None:
    ledger = ledger_of_yesterday(40, timedelta(minutes=3))
    results = checks(ledger, 40)
    assert all(isinstance(one, Paused) for one in results)
    assert len(ledger.rows) == 40
