"""What a hostile reading found: each of these was lost, told falsely, asked for in vain, or miscounted once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.memory_store.store import MemoryStore
from tests.simulation import START, Simulation, a_world, day, followed, on

from freshwax.clock import SimulatedClock
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.world import WorldRelease
from freshwax.model import ArtistState, Group, Mode, Ref, Report, RunStatus
from freshwax.planning.due import share
from freshwax.quota import Cooldown
from freshwax.sources.gate import Gate
from freshwax.sources.spotify.pages import Page, PageRequest
from freshwax.tracking.report import fix_report, report_from_cache


def reported(user: Simulation, mode: Mode = Mode.BASELINE, **options: object) -> list[tuple[str, str]]:
    """Run in a mode, and return title and kind of every line that is shown."""
    settings = replace(user.options, mode=mode, **options)  # type: ignore[arg-type]
    if mode is Mode.FROM_CACHE:
        report = report_from_cache(user.store, settings, user.clock.now())
    else:
        report = fix_report(user.store, user.track(tell=False, mode=mode, **options), settings, user.clock.now())
    user.read(report) if report.id else None
    return shown(report)


def shown(report: Report) -> list[tuple[str, str]]:
    return [(line.release.title, line.kind.value) for line in report.lines if line.hidden_by is None]


# -- reports ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ArtistState.REMOVED, ArtistState.DISABLED])
def test_a_report_survives_that_an_artist_that_failed_is_followed_no_more(state: ArtistState) -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    user = followed(world, nightjar, tern)
    user.check(0)
    user.wait(7)
    user.track(failing=[tern.id], tell=False)
    user.store.set_state(Ref("spotify", tern.id), state)
    assert reported(user, Mode.FROM_CACHE) == []


def test_a_baseline_of_some_artists_prints_their_releases_only() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    nightjar.single("Mine", day(-3))
    tern.single("Not Asked For", day(-3))
    user = followed(world, nightjar, tern)
    user.check(0)
    assert reported(user, artists=frozenset({Ref("spotify", nightjar.id)})) == [("Mine", "new")]


def test_a_baseline_prints_twins_once_and_nothing_that_is_held() -> None:
    world, nightjar = a_world()
    loud = nightjar.single("Loud", day(-3))
    world.twin(loud, title="Loud (Clean)", date=day(-2))
    for number in range(10):
        nightjar.single(f"Old {number}", day(-200 - number))
    for number in range(40):
        nightjar.single(f"Flood {number}", day(3))
    user = followed(world, nightjar)
    assert user.check(0) == [("Loud", "new")]
    assert user.check() == []
    assert reported(user) == [("Loud", "new")]


def test_a_baseline_reprints_what_is_dated_with_a_year_only() -> None:
    world, nightjar = a_world()
    nightjar.album("Last Year", "2025")
    user = followed(world, nightjar)
    assert user.check(0) == [("Last Year", "new")]
    assert reported(user) == [("Last Year", "new")]


def test_a_reprint_says_new_of_what_was_upcoming_and_is_out() -> None:
    world, nightjar = a_world()
    nightjar.album("Soon", day(9), appears=on(1))
    user = followed(world, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [("Soon", "upcoming")], [("Soon", "new")]]
    assert reported(user) == [("Soon", "new")]
    assert reported(user, Mode.FROM_CACHE, since=START) == [("Soon", "new")]


def test_a_reprint_keeps_to_the_title_filters() -> None:
    world, nightjar = a_world()
    nightjar.album("Evening (Live)", day(-3))
    user = followed(world, nightjar)
    user.options = replace(user.options, excluded=("live",))
    user.check(0)
    assert reported(user) == []


def test_guest_appearances_alone_may_be_asked_for() -> None:
    world, nightjar = a_world()
    guest = world.artist("Tern")
    world.release("single", "Guest Spot", day(4), [guest], guests=[nightjar])
    nightjar.single("Own", day(4))
    user = followed(world, nightjar)
    user.options = replace(user.options, groups=tuple(Group))
    user.check(0)
    user.wait(7)
    user.track(tell=False)
    assert reported(user, Mode.FROM_CACHE, types=frozenset({"appears_on"})) == [("Guest Spot", "new")]
    assert reported(user, Mode.FROM_CACHE, types=frozenset({"single"})) == [("Own", "new")]


# -- budgets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("available", [1, 5, 24, 40, 580])
def test_depth_never_takes_more_than_a_tenth_from_checks_that_wait(available: int) -> None:
    allowance = share(available, due=2000, learning=False, deep_waiting=True)
    assert allowance.checks is not None
    assert allowance.checks >= min(available, max(1, available * 9 // 10))
    assert allowance.checks < available or available == 1  # ... and always a little, where there is anything to share


def test_a_small_budget_goes_to_the_checks_first() -> None:
    world, nightjar = a_world()
    for number in range(40):
        nightjar.single(f"Old {number}", day(-200 - number))
    others = [world.artist(f"Tern {number}") for number in range(9)]
    user = followed(world, nightjar, *others)
    user.track(budget=12)
    user.wait(7)
    assert user.track(budget=5, per_day=580).coverage.checked >= 4


def test_one_artist_that_cannot_be_learnt_does_not_keep_the_others_from_depth() -> None:
    world, nightjar = a_world()
    odd = world.artist("Odd")
    for number in range(40):
        nightjar.single(f"Old {number}", day(-200 - number))
    others = [world.artist(f"Tern {number}") for number in range(12)]
    user = followed(world, nightjar, odd, *others)
    user.track(failing=[odd.id], budget=15)
    for _ in range(6):  # too little for everyone, each week
        user.wait(7)
        user.track(failing=[odd.id], budget=10)
    assert user.store.follow(Ref("spotify", nightjar.id)).marks[Group.SINGLE].read_to_end_at is not None


@pytest.mark.parametrize("busy", range(10))
def test_a_spent_budget_ends_a_batch_in_the_same_way_whoever_the_last_request_went_to(busy: int) -> None:
    world, _ = a_world()
    artists = [world.artist(f"Bird {number}") for number in range(10)]
    for number, artist in enumerate(artists):
        for song in range(15 if number == busy else 1):
            artist.single(f"Song {song}", day(-200 - song))
            artist.album(f"Album {song}", day(-200 - song))
    user = followed(world, *artists)
    run = user.track(policy="adaptive", budget=10, concurrency=8)
    assert (run.status, run.coverage.paused) == (RunStatus.COMPLETED, 0)
    assert run.coverage.checked >= 3


@pytest.mark.parametrize("budget", [3, 6, 8])
def test_small_batches_leave_out_nobody_for_ever(budget: int) -> None:
    world, nightjar = a_world()
    birds = [world.artist(f"Bird {number}") for number in range(12)]
    for bird in birds:
        bird.single("Old", day(-400))
    for number in range(15):
        nightjar.single(f"Single {number}", day(-200 - number))
        nightjar.album(f"Album {number}", day(-200 - number))
    nightjar.single("Tide", day(60))
    user = followed(world, nightjar, *birds)
    user.check(0)
    told: list[tuple[str, str]] = []
    for _ in range(30):
        told += user.check(policy="adaptive", budget=budget, concurrency=8)
        oldest = user.store.runs(1)[0].coverage.oldest_check
        assert oldest
        assert user.clock.now() - oldest <= timedelta(days=97)
    assert told == [("Tide", "new")]


@pytest.mark.parametrize("budget", [4, 8])
def test_who_is_gone_is_looked_for_by_small_batches_too(budget: int) -> None:
    world, nightjar = a_world()
    birds = [world.artist(f"Bird {number}") for number in range(12)]
    for bird in birds:
        bird.single("Old", day(-400))
    user = followed(world, nightjar, *birds)
    user.check(0)
    user.store.set_state(Ref("spotify", nightjar.id), ArtistState.GONE)
    for _ in range(30):
        user.check(policy="adaptive", budget=budget)
    back = user.store.artist(Ref("spotify", nightjar.id))
    assert back
    assert back.state is ArtistState.ACTIVE


# -- clocks ----------------------------------------------------------------------------------------------------------


def test_a_cooldown_from_a_clock_that_was_wrong_does_not_last_for_a_year() -> None:
    clock = SimulatedClock(START)
    store = MemoryStore()
    store.set_cooldown(Cooldown("spotify", START + timedelta(days=365), "quota exceeded"))
    Gate("spotify", store, clock).check_cooldown("artist-albums")


def test_requests_from_a_clock_that_was_wrong_do_not_spend_the_quota_for_a_year() -> None:
    world, nightjar = a_world()
    user = followed(world, nightjar)
    for _ in range(10):
        user.store.claim_request("spotify", "artist-albums", START + timedelta(days=365), None, ())
    first = user.track(per_day=10)
    assert first.status is RunStatus.PAUSED, "they may have been sent a moment ago"
    assert "10 requests of a time in the future" in str(first.error)
    user.wait(1)
    assert user.track(per_day=10).status is RunStatus.COMPLETED


def test_a_group_asked_for_first_after_the_clock_was_wrong_tells_its_news() -> None:
    world, nightjar = a_world()
    nightjar.compilation("Collected", day(8))
    user = followed(world, nightjar)
    user.wait(365)
    user.track()
    user.clock.move_to(START + timedelta(days=9))
    assert user.check(0, groups=tuple(Group)) == [("Collected", "new")]


def test_a_list_read_to_its_end_while_the_clock_was_wrong_is_audited_in_time() -> None:
    world, nightjar = a_world()
    nightjar.single("Old", day(-300))
    user = followed(world, nightjar)
    user.wait(3650)
    user.track()
    user.clock.move_to(START)
    user.check(7)
    mark = user.store.follow(Ref("spotify", nightjar.id)).marks[Group.SINGLE]
    assert mark.read_to_end_at is not None
    assert mark.first_checked_at <= user.clock.now()
    assert mark.read_to_end_at <= user.clock.now()


# -- counts ----------------------------------------------------------------------------------------------------------


def test_an_artist_that_is_removed_during_the_run_does_not_pause_it() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    user = followed(world, nightjar, tern)
    user.check(0)
    user.wait(7)

    def remove(page, _):  # type: ignore[no-untyped-def]
        user.store.set_state(Ref("spotify", tern.id), ArtistState.REMOVED)
        return page

    user.tamper = remove
    run = user.track()
    assert (run.status, run.coverage.artists, run.coverage.checked, run.coverage.paused) == (
        RunStatus.COMPLETED,
        1,
        1,
        0,
    )


# -- listings --------------------------------------------------------------------------------------------------------


class Hiding:
    """A service that leaves some releases out of its pages, but counts them: a null where one should stand."""

    def __init__(self, *hidden: WorldRelease) -> None:
        self.hidden = {one.id for one in hidden}

    def __call__(self, page: Page, _: PageRequest) -> Page:
        there = (one for one in page.entries if one.release.ref.id not in self.hidden)
        return Page(tuple(there), page.total, page.more)


def catalogue(albums: int, singles: int) -> tuple[WorldBuilder, ArtistHandle, list[WorldRelease], list[WorldRelease]]:
    world, nightjar = a_world()
    first = [nightjar.album(f"Album {n}", day(-200 - 50 * n)) for n in range(albums)]
    return world, nightjar, first, [nightjar.single(f"Single {n}", day(-180 - 20 * n)) for n in range(singles)]


def test_a_hidden_entry_on_top_of_an_unread_list_does_not_silence_what_is_new() -> None:
    world, nightjar, _, singles = catalogue(12, 40)
    nightjar.single("Fresh", day(3))
    user = followed(world, nightjar)
    user.tamper = Hiding(singles[0])
    assert user.check(0, budget=2) == []  # nothing is left for depth
    assert user.check(budget=2) == [("Fresh", "new")]


def test_reading_on_below_a_hidden_entry_skips_nothing() -> None:
    world, nightjar, _, _ = catalogue(0, 5)
    recent = [nightjar.single(f"Recent {n}", day(-n)) for n in range(1, 25)]
    user = followed(world, nightjar)
    user.tamper = Hiding(recent[0])
    assert len(user.check(0)) == 23


def test_reading_on_below_a_hidden_entry_ends_where_the_news_end() -> None:
    world, nightjar, _, _ = catalogue(0, 150)
    fresh = [nightjar.single(f"Fresh {number}", day(3)) for number in range(10)]
    user = followed(world, nightjar)
    hiding = Hiding(fresh[9])
    user.tamper = lambda page, request: Page(hiding(page, request).entries, None, page.more)
    user.check(0)
    assert len(user.check()) == 9
    assert len(user.requests) <= 3  # one a group, and one more


def test_a_count_that_promises_more_than_there_is_ends_no_run() -> None:
    world, nightjar, _, _ = catalogue(12, 0)
    for number in range(12):
        nightjar.album(f"Fresh {number}", day(3))
    user = followed(world, nightjar)
    user.tamper = lambda page, _: Page(page.entries, page.total + 3, page.more)
    assert user.check(0) == []
    assert len(user.check()) == 12


@pytest.mark.parametrize("as_type", ["album", "compilation", "never heard of"])
def test_a_single_of_another_type_deep_in_the_list_is_learnt_with_the_rest(as_type: str) -> None:
    world, nightjar, _, singles = catalogue(9, 3)
    nightjar.single("Recent", day(-5))
    user = followed(world, nightjar)
    odd = singles[1].id

    def tamper(page: Page, _: PageRequest) -> Page:
        entries = (
            replace(one, release=replace(one.release, type=as_type)) if one.release.ref.id == odd else one
            for one in page.entries
        )
        return Page(tuple(entries), page.total, page.more)

    user.tamper = tamper
    assert user.check(0) == [("Recent", "new")]
    known = user.store.follow(Ref("spotify", nightjar.id)).known
    assert odd in known
    nightjar.album("Tenth", day(10))
    user.source.world = user.world = world.build()
    assert user.check(12) == [("Tenth", "new")]


def test_news_that_stand_in_the_window_below_a_gap_are_not_taken_for_depth() -> None:
    world, nightjar = a_world()
    for number in range(12):
        nightjar.album(f"Recent {number:02}", day(-1 - number))
    for number in range(9):
        nightjar.album(f"Old {number}", day(-300 - 50 * number))
    for number in range(11):
        nightjar.album(f"Late {number:02}", day(-30), appears=on(3))
    nightjar.single("Single", day(-300))
    user = followed(world, nightjar, page_size=4)
    assert len(user.check(0, budget=5)) == 12
    assert len(user.check(budget=None)) == 11


def test_a_market_that_changes_after_a_long_gap_brings_what_came_out_meanwhile() -> None:
    world, nightjar, _, _ = catalogue(0, 5)
    meanwhile = [nightjar.single(f"Meanwhile {n}", day(10 + 12 * n)) for n in range(16)]
    user = followed(world, nightjar)
    user.check(0)
    user.store.set_state(Ref("spotify", nightjar.id), ArtistState.DISABLED)
    user.wait(220)
    user.follow(nightjar.id)
    user.options = replace(user.options, market="DE")
    before = user.store.follow(Ref("spotify", nightjar.id)).known
    assert len(user.check(0)) == len(meanwhile) - len([one for one in meanwhile if one.id in before])


def test_a_hidden_entry_where_the_oldest_album_should_stand_ends_no_run() -> None:
    world, nightjar, albums, _ = catalogue(12, 0)
    nightjar.album("Fresh", day(3))
    user = followed(world, nightjar)
    user.tamper = Hiding(albums[10])
    assert user.check(0) == []
    assert user.check() == [("Fresh", "new")]
