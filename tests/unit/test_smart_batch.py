"""A run that checks only whom a policy picks: how many, what it says of the others, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from tests.simulation import Simulation, followed, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.model import Mode, Ref, RunStatus
from freshwax.planning.due import Past, allowance, rhythm

ARTISTS = 20
DAY, DAY0 = timedelta(days=1), datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def world() -> WorldBuilder:
    return WorldBuilder()


@pytest.fixture
def crowd(world: WorldBuilder) -> list[ArtistHandle]:
    """Twenty artists: the first releases every month, the others did so once, years ago."""
    artists = [world.artist(f"Artist {number:02}") for number in range(ARTISTS)]
    for artist in artists:
        artist.album(f"{artist.name} One", "2020-05-01")
        artist.single(f"{artist.name} Two", "2021-05-07")
    for month in range(1, 13):
        artists[0].single(f"Monthly {month}", f"2025-{month:02}-03")
    return artists


@pytest.fixture
def user(world: WorldBuilder, crowd: list[ArtistHandle]) -> Simulation:
    """Somebody who learnt them all a week ago."""
    artists = followed(world, *crowd)
    artists.track()
    artists.wait(7)
    return artists


def counts(user: Simulation, **how: object) -> tuple[int, int, int, int]:
    coverage = user.track(policy="adaptive", **how).coverage
    assert coverage.artists == ARTISTS
    return coverage.checked, coverage.fresh, coverage.not_due, coverage.paused


def asked(user: Simulation) -> list[str]:
    return list(dict.fromkeys(artist for artist, _ in user.source.asked))


def test_a_budget_is_how_many_are_checked_the_rest_waits_for_its_turn(user: Simulation) -> None:
    assert counts(user, budget=5) == (5, 0, 15, 0)
    assert len(user.source.asked) <= 5


def test_the_one_who_releases_most_is_asked(user: Simulation, crowd: list[ArtistHandle]) -> None:
    assert counts(user, budget=1)[0] == 1
    assert asked(user) == [crowd[0].id]


def test_without_a_budget_a_fifth_of_the_list_is_checked_a_week(user: Simulation) -> None:
    assert counts(user) == (4, 0, 16, 0)
    user.wait(1)
    assert counts(user) == (1, 0, 19, 0)


def test_whom_a_run_has_just_asked_is_fresh_for_the_next(user: Simulation) -> None:
    user.track(policy="adaptive", budget=5)
    user.wait(0.1)
    checked, fresh, not_due, _ = counts(user, budget=3)
    assert (checked, fresh, not_due) == (3, 5, 12)


def test_tiers_keep_their_own_calendar(user: Simulation) -> None:
    run = user.track(policy="tiers")
    assert run.status is RunStatus.COMPLETED
    assert 0 < run.coverage.checked < ARTISTS


def test_nobody_goes_unchecked_for_longer_than_max_interval(user: Simulation) -> None:
    for _ in range(20):
        run = user.track(policy="adaptive", max_interval=timedelta(days=42))
        user.wait(7)
        assert run.coverage.oldest_check is not None
        assert run.started_at - run.coverage.oldest_check <= timedelta(days=42)


def test_a_budget_that_cannot_hold_max_interval_is_told_with_what_it_can_hold(user: Simulation) -> None:
    run = user.track(policy="adaptive", budget=1, max_interval=timedelta(days=30))
    assert run.status is RunStatus.COMPLETED
    assert run.error is not None
    assert "max_interval" in run.error
    assert "need 140 days" in run.error


def test_who_was_never_learnt_gets_a_place(user: Simulation, world: WorldBuilder) -> None:
    late = world.artist("Latecomer")
    late.album("First", on(0)[:10])
    user.world = world.build()
    user.follow(late.id)
    user.track(policy="adaptive", budget=4)
    assert late.id in asked(user)


def test_without_a_budget_everybody_new_is_learnt_at_once(user: Simulation, world: WorldBuilder) -> None:
    late = [world.artist(f"Latecomer {number}") for number in range(9)]
    user.world = world.build()
    user.follow(*(one.id for one in late))
    user.track(policy="adaptive")
    assert {one.id for one in late} < set(asked(user))
    assert len(asked(user)) == 9 + 6  # and a fifth of the list, as ever


def test_news_that_cost_more_than_the_budget_leave_the_rest_of_the_plan_for_later(
    world: WorldBuilder, crowd: list[ArtistHandle]
) -> None:
    for artist in crowd:
        artist.album("Came out late", "2019-01-01", appears=on(3))
        artist.single("Single", "2026-03-03", appears=on(3))
    user = followed(world, *crowd)
    user.track()
    user.wait(7)
    run = user.track(policy="adaptive", budget=10)
    assert len(user.source.asked) <= 10
    assert (run.status, run.exit_code, run.coverage.paused) == (RunStatus.COMPLETED, 0, 0)
    assert run.coverage.checked + run.coverage.not_due == ARTISTS
    for _ in range(40):
        user.wait(7)
        user.track(policy="adaptive", budget=10)
    told = [title for _, title, _ in user.told]
    assert len(told) == len(set(told))
    assert len(told) >= ARTISTS


def test_the_quota_of_the_day_pauses_a_smart_batch_as_any_run(user: Simulation) -> None:
    run = user.track(policy="adaptive", budget=6, per_day=3)
    assert (run.status, run.coverage.paused > 0) == (RunStatus.PAUSED, True)


WEEK = timedelta(days=7)


def room(*runs: tuple[float, int], now: float) -> int:
    """What is left of 100 checks a week, after runs (day, checks)."""
    return allowance(
        100, 100, [Past(DAY0 + timedelta(days=day), checks) for day, checks in runs], DAY0 + timedelta(now)
    )


def test_a_week_is_shared_by_the_runs_in_it() -> None:
    assert room(now=0) == 100
    assert room((0, 100), now=7) == 100
    assert room((0, 500), now=1) == 15
    assert room((0, 500), (1, 15), (2, 15), now=3) == 14
    assert room((0, 100), now=40) == 100


def test_what_a_run_did_not_use_is_left_for_the_next() -> None:
    assert room((0, 100), (7, 0), now=7.2) == 100
    assert room((0, 100), (7, 30), now=7.2) == 73
    assert room((0, 100), (6.9, 1), now=7) == 99


def test_a_prefetch_takes_from_what_later_runs_have() -> None:
    at = [DAY0 + timedelta(day) for day in (0, 7, 7.5)]
    assert allowance(100, 100, [Past(at[0], 100), Past(at[1], 100), Past(at[2], 100, ahead=True)], DAY0 + WEEK * 2) == 0


def test_the_rhythm_of_runs_is_their_mean_gap_and_what_the_longest_has_more() -> None:
    def gap(*starts: float, now: float) -> tuple[float, float]:
        mean, margin = rhythm([DAY0 + timedelta(one) for one in starts], DAY0 + timedelta(now))
        return round(mean / DAY, 2), round(margin / DAY, 2)

    assert gap(now=3) == (7, 0)
    assert gap(0, 7, 14, now=21) == (7, 0)
    assert gap(0, 30, 60, now=90) == (30, 0)
    assert gap(0, 1, 2, 3, 4, 7, 8, 9, 10, 11, now=14) == (1.4, 1.6)  # weekdays only
    assert gap(0, now=0.001) == (0.04, 0)


SCHEDULES: dict[str, Sequence[float]] = {
    "daily": [1],
    "weekly": [7],
    "weekdays": [1, 1, 1, 1, 3],
    "monthly": [30],
    "three each Sunday": [0.01, 0.01, 6.98],
    "anyhow": [0.1, 13, 2, 7, 0.5, 9],
}


@pytest.mark.parametrize("gaps", SCHEDULES.values(), ids=list(SCHEDULES))
@pytest.mark.parametrize("ahead", [False, True], ids=["", "prefetch"])
@pytest.mark.parametrize("budget", [None, 12])
def test_nobody_passes_max_interval_whenever_one_runs(
    user: Simulation, crowd: list[ArtistHandle], gaps: Sequence[float], ahead: bool, budget: int | None
) -> None:
    until = user.clock.now() + timedelta(days=300)
    for gap in cycle(gaps):
        if ahead and gap > 1:
            user.wait(gap - 0.4)
            user.track(tell=False, mode=Mode.PREFETCH)
            user.wait(0.4)
        else:
            user.wait(gap)
        run = user.track(policy="adaptive", budget=budget, failing={crowd[1].id})
        checks = [one.checked_at for one in user.store.artists() if one.checked_at and not one.failures]
        assert run.started_at - min(checks) <= timedelta(days=90)
        if run.started_at > until:
            break


def test_two_lists_by_turns_have_each_their_share(user: Simulation, crowd: list[ArtistHandle]) -> None:
    halves = [frozenset(Ref("spotify", one.id) for one in part) for part in (crowd[:10], crowd[10:])]
    for _ in range(4):
        for half in halves:
            assert user.track(policy="adaptive", artists=half).coverage.checked == 2
            user.wait(0.01)
        user.wait(6.98)


def test_a_known_failure_alone_is_no_outage(user: Simulation, crowd: list[ArtistHandle]) -> None:
    user.wait(7)
    user.track(failing={crowd[0].id})
    user.wait(1)
    run = user.track(failing={crowd[0].id})
    assert (run.status, run.coverage.failed, run.coverage.not_due) == (RunStatus.PARTIAL, 1, ARTISTS - 1)


def test_a_run_over_one_artist_does_not_cost_the_next_its_share(user: Simulation, crowd: list[ArtistHandle]) -> None:
    for _ in range(30):
        user.wait(6.5)
        user.track(artists=frozenset({Ref("spotify", crowd[0].id)}))
        user.wait(0.5)
        run = user.track(policy="adaptive")
        assert run.coverage.checked >= 2
    assert run.coverage.oldest_check is not None
    assert run.started_at - run.coverage.oldest_check <= timedelta(days=90)


def test_a_monthly_run_holds_max_interval(user: Simulation) -> None:
    for _ in range(12):
        user.wait(30)
        run = user.track(policy="adaptive")
        assert run.coverage.checked >= 16  # four fifths: a fifth a week
    assert run.coverage.oldest_check is not None
    assert run.started_at - run.coverage.oldest_check <= timedelta(days=90)


def test_after_a_clock_that_was_ahead_everybody_is_asked_again(user: Simulation) -> None:
    user.wait(365)
    user.track()
    user.clock.move_to(user.clock.now() - timedelta(days=360))
    before = user.clock.now()
    run = user.track(policy="adaptive", budget=10)
    assert run.coverage.checked >= 8
    assert run.error is not None
    assert "20 checks were stored with a time in the future, and are made again bit by bit, 10 in this run" in run.error
    for _ in range(3):
        user.wait(7)
        user.track(policy="adaptive", budget=10)
    assert all(before <= one.checked_at <= user.clock.now() for one in user.store.artists() if one.checked_at)


def test_a_budget_that_ends_before_what_it_surely_pays_for_pauses_the_run(
    user: Simulation, world: WorldBuilder, crowd: list[ArtistHandle]
) -> None:
    for artist in crowd:
        for number in range(12):  # more than any check of one request could show
            artist.album(f"Old {number}", "2018-01-01", appears=on(3))
    user.world = user.source.world = world.build()
    run = user.track(policy="adaptive", budget=10)
    assert (run.status, run.exit_code) == (RunStatus.PAUSED, 3)
    assert run.coverage.paused > 0
