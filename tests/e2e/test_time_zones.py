"""The local time of a machine, and that it changes, is nothing to freshwax: it reckons in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.e2e.user import NOW, User, at

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer

FIRST, LAST = "<+14>-14", "<-12>12"  # the first and the last zone on Earth in which a day begins


def summer_time_begins() -> str:
    """A zone whose clocks go forward by an hour in this very hour."""
    local = NOW.replace(minute=0)
    return f"WIN0SUM-1,J{_day_of_year(local)}/{local.hour},J{_day_of_year(local + timedelta(days=100))}/2"


def _day_of_year(instant: datetime) -> int:
    """The number of a day as time zones count: 29 February is none."""
    return instant.replace(year=2023).timetuple().tm_yday


@pytest.mark.usefixtures("from_scratch")
@pytest.mark.parametrize(("one", "other"), [(FIRST, LAST), (LAST, FIRST), ("UTC", summer_time_begins())])
def test_a_machine_that_changes_its_time_zone_tells_the_same_once(
    one: str,
    other: str,
    user: User,
    world: WorldBuilder,
    server: DemoServer,
    birds: list[ArtistHandle],
    news: list[str],
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    first = user.track(TZ=one)
    assert (first.status, first.titles) == ((0, "completed"), news)
    second = user.track(TZ=other)
    assert (second.status, second.titles, second.coverage("checked", "fresh")) == ((0, "completed"), [], (0, 6))
    started = [datetime.fromisoformat(done.report["run"]["started_at"]) for done in (first, second)]
    assert timedelta(0) <= started[1] - started[0] < timedelta(minutes=10)
