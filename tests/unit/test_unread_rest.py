"""A list of which only the top was read: much of it goes or gets new IDs, news come, and the rest is no news.

What is listed on top, or dated after the first check, is never taken for a part of the rest that nobody has read yet.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.simulation import START, Simulation, day

from freshwax.demo.builder import WorldBuilder
from freshwax.model import Ref, Silence

AT = START + timedelta(days=3)


class Upheaval:
    """An artist with old releases of one type, of which so many requests let freshwax read the top."""

    def __init__(self, old: int, kind: str = "single", apart: int = 20) -> None:
        self.world = WorldBuilder()
        self.artist = self.world.artist("Nightjar")
        self.kind = kind
        self.old = [
            self.world.release(kind, f"Old {n}", day(-180 - apart * n), [self.artist], appears=day(-180 - apart * n))
            for n in range(old)
        ]

    def news(self, number: int = 1) -> list[str]:
        titles = [f"Fresh {n}" for n in range(number)]
        for n, title in enumerate(titles):
            self.world.release(self.kind, title, day(3 + n % 3), [self.artist], appears=AT + timedelta(days=n % 3))
        return titles

    def learnt(self, budget: int = 1, page_size: int = 10) -> Simulation:
        user = Simulation(self.world.build(), page_size)
        user.follow(self.artist.id)
        user.check(0, budget=budget)
        return user

    def found(self, user: Simulation, budgets: tuple[int | None, ...] = (3, 3, 3, None)) -> list[str]:
        """Return what is told from now on, or held, to be asked about."""
        told = [title for budget in budgets for title, _ in user.check(budget=budget)]
        known = user.store.follow(Ref("spotify", self.artist.id)).known.values()
        return sorted(told + [one.release.title for one in known if one.silence is Silence.HELD])


@pytest.mark.parametrize("news", [1, 3, 11])
@pytest.mark.parametrize("old", [1, 9, 12, 30])
def test_news_are_told_where_all_the_old_went(old: int, news: int) -> None:
    case = Upheaval(old)
    for one in case.old:
        case.world.withdraw(one, AT)
    fresh = case.news(news)
    assert case.found(case.learnt()) == sorted(fresh)


@pytest.mark.parametrize("kind", ["album", "single"])
@pytest.mark.parametrize("old", [9, 12, 30, 60])
def test_news_are_told_where_all_the_old_has_new_ids(kind: str, old: int) -> None:
    case = Upheaval(old, kind)
    for one in case.old:
        case.world.relist(one, AT)
    fresh = case.news()
    assert case.found(case.learnt(budget=2)) == fresh


def test_what_moved_up_above_the_place_where_reading_went_on_is_no_news() -> None:
    case = Upheaval(29, "album")
    user = case.learnt(budget=4)
    for one in case.old[25:28]:
        case.world.withdraw(one, AT)
    user.world = case.world.build()
    assert case.found(user) == []
    assert case.old[28].id in user.store.follow(Ref("spotify", case.artist.id)).known


def test_what_was_listed_late_is_told_where_all_the_old_went() -> None:
    case = Upheaval(30)
    for one in case.old:
        case.world.withdraw(one, AT)
    case.world.release("single", "Found in the attic", day(-170), [case.artist], appears=AT)
    assert case.found(case.learnt()) == ["Found in the attic"]


def test_what_another_market_has_had_for_long_is_no_news_where_its_list_is_read_in_depth() -> None:
    here, there = Upheaval(5), Upheaval(5)
    for case in (here, there):
        for n in range(12):
            case.world.release("single", f"Everywhere {n}", day(200 + n), [case.artist], appears=day(200 + n))
    for n in range(4):
        there.world.release("single", f"There only {n}", day(30 + n), [there.artist], appears=day(30 + n))
    user = here.learnt()
    user.check(300)
    user.world = there.world.build()
    assert user.check(market="DE", budget=1) == []
    assert user.check(market="DE") == []


@pytest.mark.parametrize(("albums", "singles"), [(25, 3), (12, 12), (4, 14), (40, 40), (10, 0), (0, 20)])
def test_pages_that_lack_their_next_do_not_make_news_of_what_they_left_out(albums: int, singles: int) -> None:
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    for n in range(albums):
        artist.album(f"Album {n}", day(-400 - 60 * n))
    for n in range(singles):
        artist.single(f"Single {n}", day(-420 - 40 * n))
    user = Simulation(world.build(), tamper=lambda page, _: replace(page, more=False))
    user.follow(artist.id)
    assert user.check(0) == []
    user.tamper = None
    assert user.check() + user.check() == []
    assert all(mark.read_to_end_at for mark in user.store.follow(Ref("spotify", artist.id)).marks.values())
    known = user.store.follow(Ref("spotify", artist.id)).known
    assert len(known) == albums + singles
    assert all(one.silence is not Silence.HELD for one in known.values())


@st.composite
def upheavals(draw: st.DrawFn) -> tuple[Upheaval, list[str]]:
    case = Upheaval(
        draw(st.integers(0, 35)), draw(st.sampled_from(["album", "single"])), draw(st.sampled_from([4, 20]))
    )
    fate = draw(st.sampled_from(["all", "some", "head", "tail", "none"]))
    how = draw(st.sampled_from(["gone", "new ID", "either"]))
    border = draw(st.integers(0, 35))
    for at, one in enumerate(case.old):
        concerned = {"all": True, "none": False, "head": at < border, "tail": at >= border}
        if not (concerned[fate] if fate in concerned else draw(st.booleans())):
            continue
        if how == "gone" or (how == "either" and draw(st.booleans())):
            case.world.withdraw(one, AT)
        else:
            case.world.relist(one, AT)
    return case, case.news(draw(st.sampled_from([0, 1, 2, 9, 12, 21])))


@given(upheavals(), st.integers(1, 4), st.sampled_from([3, 10]), st.lists(st.sampled_from([1, 2, 3, None]), max_size=3))
def test_news_are_told_and_the_rest_is_not(
    upheaval: tuple[Upheaval, list[str]], budget: int, page_size: int, budgets: list[int | None]
) -> None:
    case, fresh = upheaval
    note("\n".join(f"{one.title} {one.date.value} {one.withdrawn_at}" for one in case.world.build().releases))
    user = case.learnt(budget, page_size)
    if any(group.value == case.kind for group in user.store.follow(Ref("spotify", case.artist.id)).marks):
        assert case.found(user, (*budgets, 30, None, None)) == sorted(fresh)
