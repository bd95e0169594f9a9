"""What a check asks for, and finds: the boundary probe in every situation that a listing can get into."""

from __future__ import annotations

from datetime import timedelta
from zlib import crc32

import pytest
from tests.simulation import START, Simulation, day, on, titles_told

from freshwax.demo.builder import ArtistHandle, WorldBuilder, base62_id
from freshwax.demo.world import WorldRelease
from freshwax.errors import CheckError
from freshwax.model import Artist, ArtistState, Follow, Group, Listed, Ref, Release, RunStatus
from freshwax.sources.base import Want
from freshwax.sources.spotify.listing import check_walk
from freshwax.sources.spotify.pages import Page, PageRequest

BOTH = (Group.ALBUM, Group.SINGLE)
FIRST_OF_FOUR = next(
    key for key in map(base62_id, range(99)) if crc32(key.encode()) % 4 == 0
)  # its turn is its 4th check


class Catalogue:
    """An artist with so many old albums and singles, followed and learnt to the end of both lists."""

    def __init__(self, albums: int, singles: int) -> None:
        self.world = WorldBuilder()
        self.artist: ArtistHandle = self.world.artist("Nightjar", key=FIRST_OF_FOUR)
        self.albums = [self.artist.album(f"Album {n}", day(-200 - 50 * n)) for n in range(albums)]
        self.singles = [self.artist.single(f"Single {n}", day(-180 - 20 * n)) for n in range(singles)]

    def follow(self) -> Simulation:
        user = Simulation(self.world.build())
        user.follow(self.artist.id)
        user.check(0)
        return user


def asked(user: Simulation) -> list[tuple[str, int]]:
    return [(",".join(request.groups), request.offset) for request in user.requests]


@pytest.mark.parametrize(("albums", "singles"), [(0, 0), (0, 3), (4, 0), (4, 6), (9, 30), (10, 0), (12, 40), (40, 1)])
def test_nothing_new_costs_one_request(albums: int, singles: int) -> None:
    user = Catalogue(albums, singles).follow()
    for _ in range(3):
        assert user.check() == []
        assert len(user.requests) == 1


def test_the_window_begins_one_before_the_first_single() -> None:
    user = Catalogue(12, 40).follow()
    user.check()
    assert asked(user) == [("album,single", 11)]


def test_every_fourth_probe_reads_the_album_head_too() -> None:
    user = Catalogue(12, 40).follow()
    costs = []
    for _ in range(8):
        user.check()
        costs.append(len(user.requests))
    assert costs == [1, 1, 1, 2, 1, 1, 1, 2]


def test_the_turns_of_a_list_of_artists_are_spread_over_the_weeks() -> None:
    world = WorldBuilder()
    artists = [world.artist(f"Artist {n}") for n in range(40)]
    for artist in artists:
        for n in range(12):
            artist.album(f"{artist.name} Album {n}", day(-200 - 50 * n))
    user = Simulation(world.build())
    user.follow(*(artist.id for artist in artists))
    user.check(0)
    costs = []
    for _ in range(4):
        user.check()
        costs.append(len(user.requests))
    assert sum(costs) == 4 * 40 + 40
    assert max(costs) <= 40 + 20


@pytest.mark.parametrize(("albums", "singles", "cost"), [(4, 6, 1), (9, 30, 2), (12, 40, 1), (12, 0, 1), (0, 25, 1)])
def test_a_new_single_stands_in_the_window(albums: int, singles: int, cost: int) -> None:
    catalogue = Catalogue(albums, singles)
    catalogue.artist.single("Fresh", day(3))
    user = catalogue.follow()
    assert user.check() == [("Fresh", "new")]
    assert len(user.requests) == cost


@pytest.mark.parametrize(("albums", "singles", "cost"), [(4, 6, 1), (8, 30, 1), (9, 30, 3), (12, 40, 2), (12, 0, 3)])
def test_a_new_album_shifts_the_window(albums: int, singles: int, cost: int) -> None:
    catalogue = Catalogue(albums, singles)
    catalogue.artist.album("Fresh", day(3))
    user = catalogue.follow()
    assert user.check() == [("Fresh", "new")]
    assert len(user.requests) <= cost
    assert user.check() == []
    assert len(user.requests) == 1


def test_an_album_and_singles_at_once() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.artist.album("Fresh Album", day(3))
    for n in range(4):
        catalogue.artist.single(f"Fresh {n}", day(2))
    user = catalogue.follow()
    assert len(user.check()) == 5
    assert len(user.requests) == 2


@pytest.mark.parametrize("number", [9, 10, 19])
def test_many_new_singles_are_read_to_the_last(number: int) -> None:
    catalogue = Catalogue(12, 40)
    for n in range(number):
        catalogue.artist.single(f"Fresh {n}", day(3))
    user = catalogue.follow()
    assert len(user.check()) == number


@pytest.mark.parametrize("number", [10, 15, 20])
def test_many_new_albums_are_read_to_the_last(number: int) -> None:
    catalogue = Catalogue(12, 40)
    for n in range(number):
        catalogue.artist.album(f"Fresh {n}", day(3))
    user = catalogue.follow()
    assert len(user.check()) == number
    assert user.check() == []
    assert len(user.requests) == 1


def test_a_single_swapped_for_another_is_seen_at_once() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.world.withdraw(catalogue.singles[0], on(3))
    catalogue.artist.single("Fresh", day(3))
    assert catalogue.follow().check() == [("Fresh", "new")]


def test_an_album_swapped_for_another_is_seen_at_its_turn() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.world.withdraw(catalogue.albums[3], on(3))
    catalogue.artist.album("Fresh", day(3))
    user = catalogue.follow()
    assert [user.check() for _ in range(4)] == [[], [], [], [("Fresh", "late")]]


def test_a_withdrawn_single_is_no_news() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.world.withdraw(catalogue.singles[2], on(3))
    user = catalogue.follow()
    assert user.check() == []
    assert len(user.requests) == 1


def test_a_withdrawn_album_is_no_news() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.world.withdraw(catalogue.albums[2], on(3))
    user = catalogue.follow()
    assert [user.check(), user.check()] == [[], []]
    assert len(user.requests) == 1


def test_a_back_dated_album_is_found_by_the_shift() -> None:
    catalogue = Catalogue(14, 40)
    catalogue.artist.album("Attic", day(-420), appears=on(3))
    assert catalogue.follow().check() == [("Attic", "back_catalogue")]


def test_an_album_back_dated_to_the_end_of_the_list_is_found() -> None:
    catalogue = Catalogue(14, 40)
    catalogue.artist.album("Cellar", "1971", appears=on(3))
    assert catalogue.follow().check() == [("Cellar", "back_catalogue")]


def test_a_single_back_dated_below_the_window_is_found_by_the_total() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.artist.single("Attic", day(-700), appears=on(3))
    assert catalogue.follow().check() == [("Attic", "back_catalogue")]


def test_ten_albums_become_nine_and_nine_become_ten() -> None:
    catalogue = Catalogue(10, 30)
    catalogue.world.withdraw(catalogue.albums[9], on(3))
    catalogue.artist.album("Tenth", day(9))
    catalogue.artist.single("After", day(17))
    user = catalogue.follow()
    assert [user.check() for _ in range(4)] == [[], [("Tenth", "new")], [("After", "new")], []]
    assert len(user.requests) == 1


def test_other_groups_cost_a_request_of_their_own() -> None:
    catalogue = Catalogue(3, 3)
    catalogue.artist.compilation("Collected", day(3))
    guest = catalogue.world.artist("Tern")
    catalogue.world.release("single", "Guest Spot", day(4), [guest], guests=[catalogue.artist])
    user = Simulation(catalogue.world.build())
    user.options = type(user.options)(user.options.mode, "US", groups=tuple(Group))
    user.follow(catalogue.artist.id)
    user.check(0)
    assert sorted(user.check()) == [("Collected", "new"), ("Guest Spot", "new")]
    assert len(user.requests) == 3


def test_a_catalogue_is_read_to_its_end_in_the_first_run() -> None:
    user = Catalogue(25, 34).follow()
    assert user.told == []
    marks = user.store.follow(Ref("spotify", next(iter(user.world.artists)))).marks
    assert all(mark.read_to_end_at is not None for mark in marks.values())
    assert len(user.store.follow(Ref("spotify", next(iter(user.world.artists)))).known) == 59


def test_a_quota_that_ends_in_mid_baseline_keeps_the_work() -> None:
    catalogue = Catalogue(12, 40)
    user = Simulation(catalogue.world.build())
    user.follow(catalogue.artist.id)
    user.source.quota = 1
    assert user.track().status is RunStatus.PAUSED
    user.source.quota = 1
    user.wait(1)
    run = user.track()
    assert (run.status, run.coverage.checked) == (RunStatus.COMPLETED, 1)
    assert asked(user)[0] == ("single", 0)


def test_a_quota_that_ends_in_the_singles_keeps_the_albums() -> None:
    catalogue = Catalogue(4, 0)
    for n in range(12):
        catalogue.artist.single(f"Recent {n}", day(-n))
    user = Simulation(catalogue.world.build())
    user.follow(catalogue.artist.id)
    user.source.quota = 1
    assert user.track().status is RunStatus.PAUSED
    user.source.quota = 2
    user.wait(1)
    assert user.track().status is RunStatus.COMPLETED
    assert asked(user)[0] == ("single", 0)
    assert sorted(titles_told(user)) == sorted(f"Recent {n}" for n in range(12))


def test_a_group_that_is_not_asked_for_leaves_no_history_incomplete() -> None:
    catalogue = Catalogue(12, 40)
    user = Simulation(catalogue.world.build())
    user.follow(catalogue.artist.id)
    user.options = type(user.options)(user.options.mode, "US", budget=2)  # enough for a first check, not for depth
    assert user.track().coverage.history_incomplete == 1
    user.wait(8)
    run = user.track(groups=(Group.COMPILATION,), budget=9)
    assert run.coverage.history_incomplete == 0


def test_a_deep_read_that_fails_keeps_what_it_read() -> None:
    user = Catalogue(12, 70).follow()
    artist = Ref("spotify", next(iter(user.world.artists)))

    def broken(page: Page, request: PageRequest) -> Page:
        if request.reason == "deep read" and request.offset >= 30:
            raise CheckError("the page is broken", code="bad_data")
        return page

    user.tamper = broken
    user.wait(8)
    user.track(audit_interval=timedelta(0))
    cursor = user.store.follow(artist).marks[Group.SINGLE].deep_cursor
    assert cursor == 30
    user.wait(8)
    assert user.track().status is RunStatus.COMPLETED
    assert len(user.requests) <= 4


# -- what a service does that it should not --------------------------------------------------------------------------


def walk(pages, follow: Follow | None = None):  # type: ignore[no-untyped-def]
    """Drive a first check over pages that a function makes; return the observation and the requests."""
    ref = Ref("spotify", "0" * 22)
    follow = follow or Follow(Artist(ref, None, ArtistState.ACTIVE, START), {}, {})
    want = Want(BOTH, "US", START.date() - timedelta(days=90))
    steps, requests = check_walk(follow, want, 10), []
    try:
        request = next(steps)
        while True:
            requests.append(request)
            request = steps.send(pages(request))
    except StopIteration as done:
        return done.value, requests


def listed(offset: int, *releases: WorldRelease) -> tuple[Listed, ...]:
    entries = enumerate(releases)
    return tuple(
        Listed(offset + at, Release(Ref("spotify", one.id), one.title, one.type, (), one.date)) for at, one in entries
    )


def failing(times: int) -> Follow:
    """An artist whose list came back empty so many times in a row."""
    failed = {"failures": times, "failure": "empty"} if times else {}
    return Follow(Artist(Ref("spotify", "0" * 22), None, ArtistState.ACTIVE, START, **failed), {}, {})


@pytest.mark.parametrize(("failures", "code"), [(0, "empty"), (1, "empty"), (2, "bad_data")])
def test_empty_pages_that_name_a_next_do_not_go_on_for_ever(failures: int, code: str) -> None:
    with pytest.raises(CheckError) as caught:
        walk(lambda request: Page((), 40, more=True), failing(failures))
    assert caught.value.code == code


def test_one_empty_page_at_the_top_is_stepped_over_the_third_time() -> None:
    catalogue = Catalogue(3, 4)
    everything = [*catalogue.albums, *catalogue.singles]

    def page(request: PageRequest) -> Page:
        return Page((), 7, more=True) if request.offset == 0 else Page(listed(10, *everything), 7)

    with pytest.raises(CheckError, match="begins with an empty page"):
        walk(page, failing(1))
    seen, requests = walk(page, failing(2))
    assert len(requests) == 2
    assert {view.group: len(view.listed) for view in seen.views} == {Group.ALBUM: 3, Group.SINGLE: 4}


def test_a_total_that_claims_too_much_does_not_prolong_the_list() -> None:
    catalogue = Catalogue(3, 4)
    seen, requests = walk(lambda _: Page(listed(0, *catalogue.albums, *catalogue.singles), 16))
    assert (len(requests), all(view.ended for view in seen.views)) == (1, True)


def test_mixed_albums_and_singles_are_asked_one_by_one() -> None:
    catalogue = Catalogue(6, 8)
    mixed = [one for pair in zip(catalogue.singles, catalogue.albums, strict=False) for one in pair]

    def page(request: PageRequest) -> Page:
        own = [one for one in mixed if one.type in request.groups]
        return Page(listed(0, *own), len(own))

    seen, requests = walk(page)
    assert [request.groups for request in requests] == [BOTH, (Group.ALBUM,), (Group.SINGLE,)]
    assert {view.group: len(view.listed) for view in seen.views} == {Group.ALBUM: 6, Group.SINGLE: 6}


def test_a_list_out_of_order_is_read_whole_at_first() -> None:
    catalogue = Catalogue(0, 30)
    catalogue.singles.reverse()

    def page(request: PageRequest) -> Page:
        window = catalogue.singles[request.offset : request.offset + 10]
        return Page(listed(request.offset, *window), 30, more=request.offset < 20)

    _, requests = walk(page)
    assert [request.offset for request in requests] == [0, 10, 20]


@pytest.mark.parametrize("wrong", [2, -1])
def test_a_wrong_total_loses_nothing(wrong: int) -> None:
    catalogue = Catalogue(12, 40)
    catalogue.artist.single("Fresh Single", day(3))
    catalogue.artist.album("Fresh Album", day(10))
    user = Simulation(catalogue.world.build())
    user.tamper = lambda page, _: Page(page.entries, page.total + wrong, page.more)
    user.follow(catalogue.artist.id)
    assert [user.check(0), user.check(), user.check(), user.check()] == [
        [],
        [("Fresh Single", "new")],
        [("Fresh Album", "new")],
        [],
    ]


def test_no_total_at_all_loses_nothing_on_top() -> None:
    catalogue = Catalogue(12, 40)
    catalogue.artist.single("Fresh Single", day(3))
    catalogue.artist.album("Fresh Album", day(10))
    user = Simulation(catalogue.world.build())
    user.tamper = lambda page, _: Page(page.entries, None, page.more)
    user.follow(catalogue.artist.id)
    weeks = [user.check(0), user.check(), user.check()]
    assert weeks == [[], [("Fresh Single", "new")], [("Fresh Album", "new")]]


def test_many_new_singles_are_read_to_the_last_without_a_total() -> None:
    catalogue = Catalogue(12, 40)
    for n in range(12):
        catalogue.artist.single(f"Fresh {n}", day(3))
    user = Simulation(catalogue.world.build())
    user.tamper = lambda page, _: Page(page.entries, None, page.more)
    user.follow(catalogue.artist.id)
    assert [len(user.check(0)), len(user.check())] == [0, 12]
