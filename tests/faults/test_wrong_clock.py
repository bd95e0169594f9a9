"""A clock that is wrong for a while, over real HTTP: quota and pauses hold, and nobody is locked out for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from freshwax.clock import SimulatedClock
from freshwax.demo.builder import WorldBuilder
from freshwax.demo.faults import Effect, QuotaSpent, TooMany
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.model import Mode, Run, RunStatus
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking.options import RunOptions

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
QUOTA = 12


@dataclass
class Somebody:
    """A user with a quota of a dozen requests a day and twenty artists, all of whom each run is to check."""

    trial: Trial
    server: DemoServer

    def runs(self, hours: float, clock: timedelta = timedelta(0), *, budget: int | None = None) -> tuple[Run, int]:
        """Run so many hours after noon, on a clock that is wrong by so much; return the requests that it sent, too."""
        self.server.log.clear()
        at = NOON + hours * HOUR
        options = RunOptions(Mode.INCREMENTAL, "US", per_day=QUOTA, force=True, budget=budget)
        run, _ = self.trial.track(at, options, now=at + clock)
        return run, sum(entry.what != "token" for entry in self.server.log)


@pytest.fixture
def somebody(tmp_path: Path) -> Iterator[Somebody]:
    world = WorldBuilder()
    for number in range(20):
        world.artist(f"Dunlin {number}").album("Old", "2020-01-03")
    built = world.build()
    with DemoServer(built, NOON) as server, closing(SQLiteStore.open(tmp_path / "f.db")) as store:
        trial = Trial(built, server, store, SimulatedClock(NOON), per_day=QUOTA)
        trial.follow(built.artists)
        yield Somebody(trial, server)


@pytest.mark.parametrize("behind", [2 * DAY, 23 * HOUR, 3 * HOUR])
def test_a_run_with_the_clock_behind_does_not_make_the_ledger_forget_the_day(
    somebody: Somebody, behind: timedelta
) -> None:
    assert somebody.runs(0)[1] == QUOTA
    wrong, sent = somebody.runs(1, -behind)
    assert (wrong.status, sent) == (RunStatus.PAUSED, 0)
    assert f"{QUOTA} requests of a time in the future: look at this machine's clock" in str(wrong.error)

    assert [somebody.runs(hours)[1] for hours in (2, 23.5)] == [0, 0]
    assert somebody.runs(24)[1] == QUOTA


@pytest.mark.parametrize("fault", [QuotaSpent(52_531), TooMany(86_400)])
def test_a_run_with_the_clock_behind_does_not_end_the_pause_of_the_service(somebody: Somebody, fault: Effect) -> None:
    somebody.server.misbehave(fault)
    first, _ = somebody.runs(0)
    somebody.server.repair()
    assert somebody.runs(1, -2 * DAY)[1] == 0

    again, sent = somebody.runs(2)
    assert (again.status, sent) == (RunStatus.PAUSED, 0)
    assert str(again.error).partition(" UTC")[0] == str(first.error).partition(" UTC")[0], "until the same hour"
    assert somebody.runs(24.5)[1] > 0


@pytest.mark.parametrize("clocks", [(23 * HOUR, HOUR), (HOUR, 23 * HOUR)], ids=["far first", "near first"])
def test_clocks_that_were_ahead_by_turns_do_not_make_the_ledger_forget_the_day(
    somebody: Somebody, clocks: tuple[timedelta, timedelta]
) -> None:
    first, second = clocks
    sent = somebody.runs(0, first, budget=1)[1] + somebody.runs(0.1, second)[1]
    assert sent
    assert sent + sum(somebody.runs(hours)[1] for hours in (0.2, 0.3, 3, 3.1, 20)) <= QUOTA


def test_a_ledger_that_a_clock_filled_for_a_month_while_it_was_ahead_bars_for_a_day(somebody: Somebody) -> None:
    for hour in range(30 * 24):
        somebody.trial.store.claim_request("spotify", "artist-albums", NOON + DAY + hour * HOUR, None, ())

    barred, sent = somebody.runs(0)
    assert (barred.status, sent) == (RunStatus.PAUSED, 0)
    assert [somebody.runs(hours)[1] for hours in (12, 24, 36, 48)] == [0, QUOTA, 0, QUOTA]
