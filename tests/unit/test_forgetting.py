"""Details that were dropped change nothing about what is told: what is forgotten never looks new."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.simulation import Simulation, a_world, day, followed, on
from tests.unit.test_invariants import act, finish, schedules, worlds

from freshwax.demo.world import World
from freshwax.model import Mode, Ref
from freshwax.store.base import Store
from freshwax.store.sqlite import SQLiteStore


def forget(user: Simulation) -> int:
    """Forget whatever can be forgotten today, and drop all outcomes but those of the last run."""
    now = user.clock.now()
    done = user.store.prune(checks_before=now, releases_before=now + timedelta(days=1), most=100_000)
    return done.forgotten


def live(world: World, schedule: list[tuple[str, int, int]], store: Store | None, *, forgetful: bool) -> Simulation:
    user = Simulation(world, 4, store=store) if store else Simulation(world, 4)
    user.options = replace(user.options, check_interval=timedelta(days=1))
    everyone = list(world.artists)
    user.follow(*everyone)
    for step, which, amount in schedule:
        act(user, step, everyone[which % len(everyone)], amount)
        if forgetful:
            forget(user)
    finish(user, everyone)
    return user


@given(world=worlds(), schedule=schedules(), on_disk=st.booleans())
def test_who_forgets_at_once_is_told_the_same(
    world: World, schedule: list[tuple[str, int, int]], on_disk: bool
) -> None:
    plain = live(world, schedule, None, forgetful=False)
    forgetful = live(world, schedule, SQLiteStore.open(":memory:") if on_disk else None, forgetful=True)

    assert forgetful.told == plain.told
    assert [len(one.store.held()) for one in (forgetful, plain)] == [len(plain.store.held())] * 2
    forgetful.store.close()


def test_a_catalogue_that_comes_again_under_new_ids_is_no_news() -> None:
    world, nightjar = a_world()
    for number in range(12):
        for old in (nightjar.album(f"A{number}", day(-40 * number)), nightjar.single(f"S{number}", day(-50 * number))):
            world.relist(old, on(20))
    user = followed(world, nightjar)
    user.track()
    user.check()
    assert forget(user) == 24
    assert user.store.releases() == []

    assert user.check(14) == []
    assert user.store.held() == []
    assert forget(user) == 24


def test_another_artist_on_a_forgotten_record_is_told_nothing_again_and_brings_its_title_back() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    world.joint("Together", day(-10), [nightjar, tern])
    user = followed(world, nightjar)
    user.track()
    assert forget(user) == 1

    user.follow(tern.id)
    assert user.check() == []
    assert [seen.release.title for seen in user.store.releases()] == ["Together"]


def test_a_baseline_takes_up_the_details_that_it_prints_again() -> None:
    world, nightjar = a_world()
    nightjar.album("Long Ago", day(-200))
    user = followed(world, nightjar)
    user.track()
    assert forget(user) == 1
    user.wait(7)
    user.track(mode=Mode.BASELINE, lookback=365)
    assert [seen.release.title for seen in user.store.releases()] == ["Long Ago"]


def test_a_list_that_still_shows_what_was_forgotten_brings_no_details_back() -> None:
    world, nightjar = a_world()
    old = nightjar.album("Long Ago", day(-200))
    user = followed(world, nightjar)
    user.track()
    assert forget(user) == 1
    assert user.check(8) == []
    story = user.store.story(Ref("spotify", old.id))
    assert story
    assert (story.release.forgotten, story.release.title, story.release.artists) == (True, "", ())


def test_a_run_drops_what_is_old_and_nothing_that_the_look_back_covers() -> None:
    world, nightjar = a_world()
    nightjar.album("Long ago", day(-400))
    nightjar.album("Lately", day(-60))
    user = followed(world, nightjar)
    user.options = replace(user.options, keep_checks=timedelta(days=30), keep_releases=timedelta(days=30))
    first = user.track().id
    user.check(60)
    assert user.store.checks(first) == []
    assert len(user.store.releases()) == 2

    user.check(60)
    assert user.store.releases() == []
    story = user.store.story(Ref("spotify", world.build().releases[0].id))
    assert story
    assert story.release.forgotten


def test_what_is_old_waits_where_nobody_answered() -> None:
    world, nightjar = a_world()
    nightjar.album("Long ago", day(-400))
    user = followed(world, nightjar)
    first = user.track().id
    user.check(400, failing=[nightjar.id])
    assert len(user.store.checks(first)) == 1
    user.check(1)
    assert user.store.checks(first) == []
