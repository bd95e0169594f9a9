"""A record under a new ID, and with another date: the same where the first one is seen to be gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.simulation import Simulation, a_world, day, followed, on
from tests.unit.test_forgetting import forget
from tests.unit.test_review_core import reported

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.world import WorldRelease
from freshwax.model import ArtistState, Ref

NEWS = [("Tide", "new")]


def after_a_correction(
    to: str, *, above: int = 2, below: int = 2, between: str | None = None, stays: bool = False
) -> Simulation:
    """Return who learnt of an old single that is listed with another date and ID, among others, at the next check."""
    world, nightjar = a_world()
    single = nightjar.single("Tide", day(-200))
    world.twin(single, date=to, appears=on(3))
    if between:
        nightjar.single("Between", between)
    if not stays:
        world.withdraw(single, on(3))
    for number in range(above):
        nightjar.single(f"Younger {number}", day(-100 - number))
    for number in range(below):
        nightjar.single(f"Older {number}", day(-300 - number))
    user = followed(world, nightjar)
    user.check(0)
    return user


@pytest.mark.parametrize("pruned", [False, True], ids=["kept", "forgotten"])
@pytest.mark.parametrize(("above", "below"), [(0, 0), (2, 2), (5, 30), (30, 0)])
@pytest.mark.parametrize("to", [day(-206), day(-194)])
def test_a_date_that_is_corrected_with_the_id_makes_no_news(to: str, above: int, below: int, pruned: bool) -> None:
    user = after_a_correction(to, above=above, below=below)
    assert not pruned or forget(user)
    assert user.check() == []
    assert user.store.held() == []


def test_what_was_told_is_not_told_again() -> None:
    world, nightjar = a_world()
    nightjar.single("Old", day(-400))
    single = nightjar.single("Tide", day(2))
    world.withdraw(single, on(9))
    world.twin(single, date=day(-3), appears=on(9))
    world.twin(single, title="Tide (Clean)", date=day(-3), appears=on(16))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [("Tide", "new")], [], []]


@pytest.mark.parametrize("first", [6, -4])
@pytest.mark.parametrize("by", [-5, 5])
def test_a_baseline_prints_it_once_with_the_first_one(first: float, by: int) -> None:
    world, nightjar = a_world()
    single = nightjar.single("Tide", day(first))
    world.withdraw(single, on(8))
    world.twin(single, date=day(first + by), appears=on(8))
    user = followed(world, nightjar)
    for days in (0, 7, 7):
        user.check(days)
    assert reported(user) == NEWS


def test_beside_the_first_one_it_is_another() -> None:
    assert after_a_correction(day(-206), stays=True).check() == [("Tide", "back_catalogue")]


@pytest.mark.parametrize("to", [day(-207), day(-193)])
def test_a_week_apart_it_is_another(to: str) -> None:
    assert after_a_correction(to).check() == [("Tide", "back_catalogue")]


def test_another_edition_is_another() -> None:
    world, nightjar = a_world()
    single = nightjar.single("Tide", day(-200))
    world.withdraw(single, on(3))
    world.edition(single, "Tide (Deluxe)", day(-204), appears=on(3))
    user = followed(world, nightjar)
    assert [user.check(0), user.check()] == [[], [("Tide (Deluxe)", "edition")]]


def test_where_the_place_of_the_first_one_is_not_read_it_may_be_another() -> None:
    user = after_a_correction(day(-196), above=8, below=30, between=day(-198))
    assert user.check() == [("Tide", "back_catalogue")]


def told_at_each_check(world: WorldBuilder, artist: ArtistHandle, checks: int) -> list[list[tuple[str, str]]]:
    user = followed(world, artist)
    return [user.check(7 if number else 0) for number in range(checks)]


def a_single_of_day(date: float) -> tuple[WorldBuilder, ArtistHandle, WorldRelease]:
    """Return a world with an old single, and one of this day."""
    world, nightjar = a_world()
    nightjar.single("Old", day(-400))
    return world, nightjar, nightjar.single("Tide", day(date))


def test_what_is_listed_anew_is_not_gone() -> None:
    world, nightjar, first = a_single_of_day(2)
    world.relist(first, on(8))
    world.twin(first, date=day(7), appears=on(15))
    assert told_at_each_check(world, nightjar, 4) == [[], NEWS, [], NEWS]


def test_what_is_gone_is_replaced_once() -> None:
    world, nightjar, first = a_single_of_day(6)
    world.withdraw(first, on(8))
    world.twin(first, date=day(0), appears=on(8))
    world.twin(first, date=day(12), appears=on(15))
    assert told_at_each_check(world, nightjar, 4) == [[], NEWS, [], NEWS]


def test_two_in_one_check_do_not_both_replace_it() -> None:
    world, nightjar, first = a_single_of_day(6)
    world.withdraw(first, on(8))
    world.twin(first, date=day(1), appears=on(8))
    world.twin(first, date=day(11), appears=on(8))
    assert told_at_each_check(world, nightjar, 3) == [[], NEWS, NEWS]


def test_what_replaced_it_is_what_later_ones_are_measured_by() -> None:
    world, nightjar, first = a_single_of_day(6)
    world.withdraw(first, on(8))
    world.twin(first, date=day(0), appears=on(8))
    world.twin(first, title="Tide (Clean)", date=day(-1), appears=on(15))
    assert told_at_each_check(world, nightjar, 4) == [[], NEWS, [], []]


def test_a_date_that_is_corrected_twice_by_a_few_days_makes_no_news() -> None:
    world, nightjar, first = a_single_of_day(6)
    for date, at in ((day(4), 8), (day(1), 15)):
        world.withdraw(first, on(at))
        first = world.twin(first, date=date, appears=on(at))
    assert told_at_each_check(world, nightjar, 4) == [[], NEWS, [], []]


@pytest.mark.parametrize("title", ["Tide", "Tide (Clean)"])
@pytest.mark.parametrize("date", [0, 2])
def test_beside_what_is_listed_anew_it_is_another(date: int, title: str) -> None:
    world, nightjar, first = a_single_of_day(6)
    world.relist(first, on(8), title=title)
    world.twin(first, date=day(date), appears=on(8))
    assert told_at_each_check(world, nightjar, 4) == [[], NEWS, NEWS, []]


def test_of_a_series_that_replaces_itself_not_everything_is_silent() -> None:
    world, nightjar, last = a_single_of_day(2)
    for date in (7, 12, 17):
        world.withdraw(last, on(date))
        last = nightjar.single("Tide", day(date))
    user = followed(world, nightjar)
    told = [user.check(5 if number else 2.5, force=True) for number in range(4)]
    assert told == [NEWS, [], NEWS, []]


def test_a_single_that_became_an_album_is_not_gone() -> None:
    world, nightjar, first = a_single_of_day(6)
    for number in range(15):
        nightjar.album(f"Album {number}", day(-100 - 30 * number))
    world.restore(replace(world.withdraw(first, on(8)), type="album"), on(8))
    world.twin(first, date=day(11), appears=on(15))
    assert told_at_each_check(world, nightjar, 4) == [[], NEWS, [], NEWS]


@pytest.mark.parametrize("date", [11, 13])
def test_what_bears_a_much_older_date_now_is_not_gone(date: int) -> None:
    world, nightjar, first = a_single_of_day(6)
    for number in range(30):
        nightjar.single(f"Younger {number}", day(-100 - number))
    world.change(first, on(9), date=day(-1200))
    world.twin(first, date=day(date), appears=on(10))
    assert told_at_each_check(world, nightjar, 3) == [[], NEWS, NEWS]


def test_what_replaced_one_has_twins_and_those_have_none() -> None:
    world, nightjar, first = a_single_of_day(0)
    world.withdraw(first, on(5))
    for date in (6, 9, 12, 15):
        world.twin(first, date=day(date), appears=on(date - 0.5))
    user = followed(world, nightjar)
    told = [user.check(3 if number else 0, force=True) for number in range(6)]
    assert told == [NEWS, [], [], [], NEWS, []]


def test_what_comes_every_week_is_told_though_the_last_one_and_its_twin_go() -> None:
    world, nightjar, first = a_single_of_day(1)
    clean = world.twin(first, title="Tide (Clean)", date=day(2), appears=on(2))
    for one in (first, clean):
        world.withdraw(one, on(8))
    nightjar.single("Tide", day(8))
    assert told_at_each_check(world, nightjar, 3) == [[], NEWS, NEWS]


def test_a_twin_does_not_stand_for_what_bears_another_date_by_now() -> None:
    world, nightjar, first = a_single_of_day(2)
    world.twin(first, title="Tide (Clean)", date=day(2), appears=on(3))
    world.change(first, on(4), date=day(-30))
    nightjar.single("Tide", day(5), appears=on(7))
    user = followed(world, nightjar)
    assert [user.check(3 if number else 0, force=True) for number in range(4)] == [[], NEWS, [], NEWS]


@pytest.mark.parametrize(
    ("date", "later", "told"),
    [(25, None, 4), (23, None, 4), (15, None, 2), (17, None, 3), (23, 30, 5), (23, 11, 2)],
)
def test_what_was_announced_is_out_when_what_took_its_place_is(date: int, later: int | None, told: int) -> None:
    world, nightjar = a_world()
    nightjar.single("Old", day(-400))
    first = nightjar.single("Tide", day(20), appears=on(-1))
    world.withdraw(first, on(5))
    second = world.twin(first, date=day(date), appears=on(5))
    if later is not None:
        world.change(second, on(10), date=day(later))
    news = {0: [("Tide", "upcoming")], told: NEWS}
    assert told_at_each_check(world, nightjar, 7) == [news.get(number, []) for number in range(7)]


def test_what_was_announced_is_out_on_its_day_while_its_twin_waits() -> None:
    world, nightjar = a_world()
    first = nightjar.single("Tide", day(20), appears=on(-1))
    world.twin(first, title="Tide (Clean)", date=day(22), appears=on(5))
    assert told_at_each_check(world, nightjar, 5) == [[("Tide", "upcoming")], [], [], NEWS, []]


def test_a_baseline_calls_nothing_new_that_is_not_out() -> None:
    world, nightjar = a_world()
    first = nightjar.single("Tide", day(30), appears=on(-1))
    world.withdraw(first, on(9))
    world.twin(first, date=day(34), appears=on(9))
    user = followed(world, nightjar)
    for days in (0, 7, 7):
        user.check(days)
    assert reported(user) == [("Tide", "upcoming")]


def test_what_is_awaited_is_not_the_old_one_that_comes_up_when_it_goes() -> None:
    world, nightjar = a_world()
    first = nightjar.single("Tide", day(20), appears=on(-1))
    world.withdraw(first, on(5))
    world.twin(first, date=day(-900), appears=on(5))
    assert told_at_each_check(world, nightjar, 2) == [[("Tide", "upcoming")], [("Tide", "back_catalogue")]]


def test_twins_of_what_two_artists_share_are_measured_from_the_first_one_for_both() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    for one in (nightjar, tern):
        one.single("Old", day(-400))
    first = world.joint("Tide", day(4), [nightjar, tern])
    world.twin(first, title="Tide (Clean)", date=day(7), appears=on(7))
    world.joint("Tide", day(10), [nightjar, tern])
    user = followed(world, nightjar, tern)
    assert [user.check(0), user.check(5, force=True)] == [[], NEWS]
    assert user.check(3, force=True, failing=[tern.id]) == []
    assert user.check(4, force=True, failing=[nightjar.id]) == NEWS
    assert user.check(1, force=True) == []


def test_what_comes_back_and_what_stood_in_its_place_are_both_told() -> None:
    world, nightjar = a_world()
    first = world.withdraw(nightjar.single("Tide", day(20), appears=on(-1)), on(5))
    world.twin(first, date=day(39), appears=on(5))
    world.restore(first, on(10))
    told = told_at_each_check(world, nightjar, 8)
    assert [report for report in told if report == NEWS] == [NEWS, NEWS]


@pytest.mark.parametrize("finder", [0, 1])
@pytest.mark.parametrize("absent", ["disabled", "failing"])
def test_what_two_artists_share_is_put_off_for_both(finder: int, absent: str) -> None:
    world, nightjar = a_world()
    both = nightjar, world.artist("Tern")
    first = world.joint("Tide", day(20), both, appears=on(-1))
    world.withdraw(first, on(5))
    world.twin(first, date=day(25), appears=on(5))
    user = followed(world, *both)
    told = [user.check(0)]
    if absent == "disabled":
        user.store.set_state(Ref("spotify", both[finder].id), ArtistState.DISABLED)
    told += [user.check(failing=[both[finder].id]), *(user.check() for _ in range(5))]
    assert told == [{0: [("Tide", "upcoming")], 4: NEWS}.get(number, []) for number in range(7)]
