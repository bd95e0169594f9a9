"""A clock that was wrong, between runs or under a run: nothing is lost or told twice, and nobody misses a turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.simulation import START, Simulation, a_world, day, followed, titles_told

from freshwax.demo.builder import WorldBuilder
from freshwax.demo.world import instant
from freshwax.model import Group, Mode, Run, RunStatus
from freshwax.sources.spotify.pages import Page, PageRequest

YEAR = 365  # days
THREE = (Group.ALBUM, Group.SINGLE, Group.COMPILATION)  # the third costs a request of its own


@pytest.fixture
def user() -> Simulation:
    """Somebody whose run of a year too late is over, and whose clock is right again, a week after the first one."""
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-400))
    someone = followed(world, nightjar)
    someone.options = replace(someone.options, groups=THREE)
    someone.track()
    someone.wait(YEAR)
    assert someone.track().coverage.checked == 1
    someone.clock.move_to(START + timedelta(days=7))
    return someone


def cut_short(user: Simulation) -> None:
    """Do a run that a quota ends between two lists of an artist."""
    user.source.quota = 1
    assert user.track().status is RunStatus.PAUSED
    user.source.quota = None


def test_a_list_checked_in_the_future_is_not_hidden_by_one_checked_now(user: Simulation) -> None:
    cut_short(user)
    user.wait(0.1)
    assert user.track().coverage.checked == 1
    user.wait(0.1)
    assert user.track().coverage.fresh == 1


def test_a_turn_taken_in_the_future_is_not_hidden_by_one_taken_now(user: Simulation) -> None:
    assert user.track(tell=False, mode=Mode.PREFETCH).coverage.checked == 1
    user.wait(14)
    cut_short(user)
    user.wait(0.1)
    assert user.track().coverage.checked == 1


def flock() -> Simulation:
    """Somebody who learnt nine artists a week ago; each has brought out a single since."""
    world = WorldBuilder()
    birds = [world.artist(f"Bird {number}") for number in range(9)]
    for bird in birds:
        bird.album(f"{bird.name} One", day(-400))
        bird.single(f"{bird.name} Two", day(3))
    learnt = followed(world, *birds)
    learnt.track()
    learnt.wait(7)
    return learnt


def jump(user: Simulation, hours: float, after: int) -> None:
    """Let the clock jump in the next run, once so many answers are there."""
    answers = iter(range(after + 1))

    def now(page: Page, _: PageRequest) -> Page:
        if next(answers, None) == after:
            user.clock.move_to(user.clock.now() + timedelta(hours=hours))
        return page

    user.tamper = now


@pytest.mark.parametrize("after", [0, 4, 8])
@pytest.mark.parametrize("hours", [-20, -1, 1, 20])
def test_a_clock_that_jumps_under_a_run_loses_and_repeats_nothing(hours: float, after: int) -> None:
    user = flock()
    began = user.clock.now()
    jump(user, hours, after)
    run = user.track()
    assert (run.status, run.coverage.checked) == (RunStatus.COMPLETED, 9)
    assert (run.started_at, run.coverage.oldest_check) == (began, began)
    assert user.clock.now() == run.finished_at == began + timedelta(hours=hours)
    user.clock.move_to(began + timedelta(days=7))  # it is set right
    assert user.track().coverage.checked == 9
    assert sorted(titles_told(user)) == [f"Bird {number} Two" for number in range(9)]


@pytest.mark.parametrize("hours", [-20, 20])
def test_what_is_left_after_a_clock_jumped_under_a_run_is_found_by_the_next(hours: float) -> None:
    user = flock()
    began = user.clock.now()
    jump(user, hours, 4)
    user.source.quota = 5
    paused = user.track()
    user.source.quota = None
    assert (paused.status, paused.coverage.checked, paused.coverage.paused) == (RunStatus.PAUSED, 5, 4)
    user.clock.move_to(began + timedelta(hours=1))
    rest = user.track()
    assert (rest.coverage.checked, rest.coverage.fresh, rest.coverage.oldest_check) == (4, 5, began)
    assert sorted(titles_told(user)) == [f"Bird {number} Two" for number in range(9)]


@contextmanager
def living_in(zone: str) -> Iterator[None]:
    """A machine in a time zone."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        yield
    time.tzset()


def nights_in(zone: str, nights: list[str]) -> tuple[list[Run], list[tuple[str, str]]]:
    """Run at those instants on a machine in a zone. Returns the runs, but for their seconds, and what they told."""
    instants = [instant(night) for night in nights]
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-400))
    nightjar.single("In the Night", instants[1].date().isoformat(), appears=nights[1])
    nightjar.single("Upcoming", instants[-1].date().isoformat(), appears=nights[0])
    user = followed(world, nightjar)
    runs = []
    with living_in(zone):
        for now in instants:
            user.clock.move_to(now)
            runs.append(user.track(check_interval=timedelta(days=1)))
    kinds = [kind.value for _, _, kind in user.told]
    return [replace(run, cost=replace(run.cost, seconds=0)) for run in runs], [
        *zip(titles_told(user), kinds, strict=True)
    ]


# In 2026 Berlin's clocks went forward on 29 March and back on 25 October, in the night to Sunday.
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows keeps its zone to itself")
@pytest.mark.parametrize(
    "nights",
    [
        ["2026-03-28T01:30Z", "2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z", "2026-03-31T00:30Z"],
        ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-26T01:30Z", "2026-10-27T01:30Z"],
    ],
    ids=["spring", "autumn"],
)
def test_summer_time_begins_and_ends_without_anybody_noticing(nights: list[str]) -> None:
    runs, told = nights_in("Europe/Berlin", nights)
    assert (runs, told) == nights_in("UTC", nights)
    assert [(run.status, run.coverage.checked) for run in runs] == [(RunStatus.COMPLETED, 1)] * 5
    assert sorted(told) == [("In the Night", "new"), ("Upcoming", "new"), ("Upcoming", "upcoming")]
