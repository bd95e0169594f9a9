"""A prefetch: what it finds is told once by the next run; it answers for an artist's turn, and never moves it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.simulation import Simulation, followed, on, titles_told

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.model import Mode
from freshwax.tracking.options import RunOptions
from freshwax.tracking.report import report_from_cache

EIGHT = 8


@pytest.fixture
def world() -> WorldBuilder:
    return WorldBuilder()


@pytest.fixture
def birds(world: WorldBuilder) -> list[ArtistHandle]:
    artists = [world.artist(f"Bird {number}") for number in range(EIGHT)]
    for artist in artists:
        artist.single(f"{artist.name} One", "2024-05-03")
    return artists


@pytest.fixture
def user(world: WorldBuilder, birds: list[ArtistHandle]) -> Simulation:
    """Somebody who learnt them all, and runs weekly."""
    learnt = followed(world, *birds)
    learnt.track()
    return learnt


def prefetch(user: Simulation, **options: object) -> int:
    """Prefetch, with nobody to read; return how many artists were checked."""
    return user.track(tell=False, mode=Mode.PREFETCH, **options).coverage.checked


def test_what_was_found_ahead_is_told_once_and_asked_once(
    world: WorldBuilder, birds: list[ArtistHandle], user: Simulation
) -> None:
    for bird in birds:
        bird.single(f"{bird.name} Two", on(4))
    user.world = user.source.world = world.build()
    user.wait(6.6)
    ahead = prefetch(user)
    assert ahead == EIGHT / 2
    user.wait(0.4)
    run = user.track()
    assert (run.coverage.fresh, run.coverage.checked) == (EIGHT / 2, EIGHT / 2)
    news = sorted(title for title in titles_told(user) if title.endswith("Two"))
    assert news == [f"Bird {number} Two" for number in range(EIGHT)]


def test_a_prefetch_long_before_the_run_does_not_put_off_the_turn(user: Simulation) -> None:
    user.wait(6.2)
    assert prefetch(user, budget=100) == EIGHT
    user.wait(0.8)  # more than fresh_for
    assert user.track().coverage.checked == EIGHT


def test_the_turn_that_a_prefetch_answered_is_taken(user: Simulation) -> None:
    user.wait(6.6)
    prefetch(user, budget=100)
    user.wait(0.4)
    assert user.track().coverage.fresh == EIGHT
    user.wait(1)
    assert user.track().coverage.not_due == EIGHT
    user.wait(6)
    assert user.track().coverage.checked == EIGHT


def test_nothing_is_asked_ahead_of_a_turn_that_does_not_come(user: Simulation) -> None:
    user.wait(2)
    assert prefetch(user, budget=100) == 0


def test_no_check_begins_when_time_is_up(user: Simulation) -> None:
    user.wait(6.6)
    assert prefetch(user, budget=100, until=user.clock.now() - timedelta(seconds=1)) == 0


def test_from_cache_a_prefetch_is_not_taken_for_the_last_run(user: Simulation) -> None:
    user.wait(6.6)
    prefetch(user, budget=3)
    report = report_from_cache(user.store, RunOptions(Mode.FROM_CACHE, "US"), user.clock.now())
    assert (report.run.mode, report.run.coverage.checked) == (Mode.INCREMENTAL, EIGHT)


def test_a_prefetch_reads_nothing_in_depth(world: WorldBuilder) -> None:
    deep = world.artist("Deep")
    for number in range(60):
        deep.album(f"Album {number}", f"20{number % 20:02}-05-03")
    user = followed(world, deep)
    user.track(budget=3)
    user.wait(6.6)
    before = len(user.source.asked)
    assert prefetch(user) == 1
    assert len(user.source.asked) - before <= 3


def test_what_is_said_to_be_taken_away_is_what_those_checks_cost(user: Simulation) -> None:
    user.wait(6.6)
    assert prefetch(user, budget=3) == 3
    user.wait(0.4)
    run = user.track()
    assert run.error is not None
    assert "answered for 3 artists ahead: it took 3 requests" in run.error
