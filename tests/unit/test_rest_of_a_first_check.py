"""Depth that is read in the run that learns an artist is the rest of its first check: decided by date, in any order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from msgspec.structs import replace
from tests.simulation import Simulation, a_world, day, followed, on

from freshwax.demo.builder import ArtistHandle
from freshwax.discovery.classify import Moment
from freshwax.history import EXACT, WATCHED
from freshwax.model import ArtistState, Listed, Ref, Release
from freshwax.sources.spotify.pages import Page, PageRequest
from freshwax.tracking.options import STDOUT
from freshwax.tracking.session import decide_held


def old_singles(nightjar: ArtistHandle, many: int, **details: str) -> None:
    for number in range(many):
        nightjar.single(f"Old {number}", day(-100 - 20 * number), **details)


def dealt(user: Simulation, order: Callable[[list[Release]], None]) -> Callable[[Page, PageRequest], Page]:
    """Return what lists releases in another order."""

    def deal(page: Page, request: PageRequest) -> Page:
        artist, _ = user.source.asked[-1]
        now = user.clock.now()
        listed = [user.source.release(one) for one in user.world.listings(artist, request.groups, now)]
        order(listed)
        part = listed[request.offset : request.offset + user.page_size]
        return replace(page, entries=tuple(Listed(request.offset + place, one) for place, one in enumerate(part)))

    return deal


def with_last(user: Simulation, title: str) -> Callable[[Page, PageRequest], Page]:
    return dealt(user, lambda listed: listed.sort(key=lambda one: one.title == title))


def test_old_records_of_a_list_that_is_out_of_order_are_learnt_silently() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 45)
    for seed in range(20):
        user = followed(world, nightjar)
        shuffled = dealt(user, Random(seed).shuffle)
        user.tamper = lambda page, request, deal=shuffled: deal(page, request) if request.offset else page  # type: ignore[misc]
        assert user.check(0) == []


def test_what_is_recent_at_the_end_of_a_list_that_is_out_of_order_is_new() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 25)
    nightjar.single("Lately", day(-30))
    user = followed(world, nightjar)
    user.tamper = with_last(user, "Lately")
    assert user.check(0) == [("Lately", "new")]


def test_an_artist_who_is_followed_again_is_learnt_so_too() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 25)
    nightjar.single("Lately", day(110))
    user = followed(world, nightjar)
    assert user.check(0) == []
    user.store.set_state(Ref("spotify", nightjar.id), ArtistState.REMOVED)
    user.wait(140)
    user.follow(nightjar.id)
    user.tamper = with_last(user, "Lately")
    assert user.check(0) == [("Lately", "new")]


def test_a_record_without_a_date_at_the_end_of_a_list_is_old() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 25)
    user = followed(world, nightjar)

    def undated(page: Page, request: PageRequest) -> Page:
        entries = (
            replace(one, release=replace(one.release, date=None)) if one.release.title == "Old 24" else one
            for one in page.entries
        )
        return replace(page, entries=tuple(entries))

    user.tamper = undated
    assert user.check(0) == []


def test_a_flood_in_depth_is_held() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 15)
    for number in range(40):
        nightjar.single(f"Of This Year {number}", "2026", appears=on(-20))
    user = followed(world, nightjar)
    user.tamper = dealt(user, lambda listed: listed.sort(key=lambda one: one.title.startswith("Of This")))
    assert user.check(0) == []
    assert [len(held) for _, held in user.store.held()] == [40]


def test_what_was_held_of_it_is_new_when_it_is_asked_for() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 15)
    for number in range(40):
        nightjar.single(f"Lately {number}", day(-30 - number))
    user = followed(world, nightjar)
    user.tamper = dealt(user, lambda listed: listed.sort(key=lambda one: one.title.startswith("Lately")))
    assert user.check(0) == []
    moment = Moment(user.clock.now(), user.store.runs(1)[0].id, "US", 90)
    decide_held(user.store, Ref("spotify", nightjar.id), moment, (STDOUT,))
    assert [kind for _, kind in user.check()] == ["new"] * 40


def test_what_it_learns_was_not_seen_to_appear() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 15)
    for year in range(1980, 2010):
        nightjar.single(f"Of {year}", f"{year}-01-01")
    user = followed(world, nightjar)
    assert user.check(0) == []
    flags = user.store.history(user.store.artists()).flags
    assert [sum(bool(flag & what) for flag in flags) for what in (WATCHED, EXACT)] == [0, 15]


def test_another_market_of_an_artist_whose_list_was_empty_is_no_first_check() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 25, appears=on(3))
    nightjar.single("Some Day of 2025", "2025", appears=on(3))
    user = followed(world, nightjar)
    assert user.check(0) == []
    user.options = replace(user.options, market="DE")
    assert user.check() == []


def test_a_run_at_the_very_instant_of_the_first_one_is_a_later_check() -> None:
    world, nightjar = a_world()
    old_singles(nightjar, 45)
    user = followed(world, nightjar)
    assert user.check(0) == []
    nightjar.single("Recovered", day(-755), appears=on(-1))
    user.world = world.build()
    assert user.check(0, force=True) == [("Recovered", "back_catalogue")]
