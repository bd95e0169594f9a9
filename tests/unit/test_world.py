from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from freshwax.demo.builder import WorldBuilder, base62_id
from freshwax.demo.world import World, instant
from freshwax.model import Group, Precision

NOON = instant("2026-03-10T12:00")


def titles(world: World, artist_id: str, group: Group, at: str) -> list[str]:
    return [release.title for release in world.listing(artist_id, group, instant(at))]


def test_ids_are_22_base62_characters_and_always_the_same():
    assert base62_id("a", 1) == base62_id("a", 1) != base62_id("a1")
    assert len(base62_id("a")) == 22
    assert base62_id("a").isalnum()


def test_a_listing_is_newest_date_string_first_and_keeps_ties_in_order():
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    artist.album("Year Only", "2012")
    artist.album("Sixteenth, one", "2012-11-16")
    artist.album("Sixteenth, two", "2012-11-16")
    artist.album("Month Only", "2012-11")
    artist.album("Later", "2013-01-01")
    expected = ["Later", "Sixteenth, one", "Sixteenth, two", "Month Only", "Year Only"]
    assert titles(world.build(), artist.id, Group.ALBUM, "2026-01-01") == expected


def test_groups_follow_the_services_order_whatever_was_asked():
    world = WorldBuilder()
    artist, other = world.artist("Nightjar"), world.artist("Other")
    artist.compilation("Best", "2025-01-01")
    artist.single("Song", "2025-01-01")
    artist.album("Record", "2020-01-01")
    other.album("Theirs", "2025-01-01", guests=[artist])
    listed = world.build().listings(artist.id, (Group.COMPILATION, Group.APPEARS_ON, Group.SINGLE, Group.ALBUM), NOON)
    assert [release.title for release in listed] == ["Record", "Song", "Theirs", "Best"]


def test_a_late_arrival_is_listed_from_its_arrival_and_gone_when_withdrawn():
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    artist.single("Low Tide", "2026-03-06", appears="2026-03-08", withdrawn="2026-03-10")
    built = world.build()
    assert titles(built, artist.id, Group.SINGLE, "2026-03-07T23:59") == []
    assert titles(built, artist.id, Group.SINGLE, "2026-03-08") == ["Low Tide"]
    assert titles(built, artist.id, Group.SINGLE, "2026-03-10") == []
    assert titles(built, artist.id, Group.SINGLE, "2026-03-09") == ["Low Tide"]


def test_twins_and_relistings_share_one_truth_and_editions_have_their_own():
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    record = artist.album("Record", "2026-03-06")
    twin = world.twin(record, title="Record (Clean)", date="2026-03-05")
    again = world.relist(record, "2026-04-01")
    deluxe = world.edition(record, "Record (Deluxe)", "2026-05-01")
    truths = world.build().truths([artist.id])
    assert [truth.id for truth in truths] == [record.id, deluxe.id]
    assert truths[0].ids == {record.id, twin.id, again.id}
    assert deluxe.edition_of == record.id
    assert titles(world.build(), artist.id, Group.ALBUM, "2026-04-02") == ["Record", "Record (Clean)"]


def test_a_joint_record_is_one_truth_on_two_listings():
    world = WorldBuilder()
    one, two = world.artist("One"), world.artist("Two")
    both = world.joint("Together", "2026-03-06", [one, two])
    built = world.build()
    assert built.listing(one.id, Group.SINGLE, NOON) == built.listing(two.id, Group.SINGLE, NOON) == [both]
    told = built.truth_between([one.id, two.id], instant("2026-03-05"), NOON)
    assert [truth.id for truth in told] == [both.id]


def test_changed_facts_and_absences_keep_the_id():
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    song = artist.single("Lwo Tide", "2026-03-06")
    song = world.change(song, "2026-03-07", title="Low Tide", date="2026-03-05")
    song = world.withdraw(song, "2026-03-08")
    world.restore(song, "2026-03-09")
    built = world.build()
    listings = [built.listing(artist.id, Group.SINGLE, instant(f"2026-03-0{day}")) for day in (6, 7, 8, 9)]
    assert [[r.title for r in listing] for listing in listings] == [["Lwo Tide"], ["Low Tide"], [], ["Low Tide"]]
    assert len(built.truths([artist.id])) == 1


def test_an_artist_that_is_not_born_or_has_vanished_lists_nothing_and_owes_nothing():
    world = WorldBuilder()
    artist = world.artist("Nightjar", born="2026-02-01", vanishes="2026-03-01")
    early = artist.single("Early", "2020-01-01")
    artist.single("Too Late", "2026-03-06")
    built = world.build()
    assert built.artist(artist.id, instant("2026-01-31")) is None
    assert titles(built, artist.id, Group.SINGLE, "2026-02-01") == ["Early"]
    assert titles(built, artist.id, Group.SINGLE, "2026-03-06") == []
    (truth,) = built.truths([artist.id])
    assert (truth.id, truth.first_listed) == (early.id, instant("2026-02-01"))


def test_what_came_and_went_between_two_checks_was_seen_by_nobody():
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    stays = artist.single("Stays", "2026-03-03")
    artist.single("Brief", "2026-03-03", withdrawn="2026-03-05")
    weeks = [instant("2026-03-01"), instant("2026-03-08"), instant("2026-03-15")]
    assert world.build().truth_seen([artist.id], weeks) == {weeks[0]: set(), weeks[1]: {stays.id}, weeks[2]: set()}


def test_rows_that_share_an_id_are_one_release_by_several_artists():
    base = {"release_id": "r" * 22, "title": "Both", "type": "single", "release_date": "2019", "date_precision": "year"}
    rows = [
        {**base, "artist_id": "a" * 22, "artist_name": "A"},
        {**base, "artist_id": "b" * 22, "artist_name": "B"},
    ]
    world = World.from_rows(rows)
    (release,) = world.releases
    assert release.artists == ("a" * 22, "b" * 22)
    assert release.date.precision is Precision.YEAR
    assert release.appears_at == datetime(2019, 1, 1, tzinfo=UTC)


DAYS = st.integers(0, 60)


@given(st.lists(st.tuples(st.sampled_from("as"), DAYS, DAYS, st.none() | st.integers(1, 40)), max_size=12), DAYS)
def test_the_cached_listing_is_the_plain_reading_of_the_releases(drawn, probe):
    start = instant("2026-01-01")
    world = WorldBuilder()
    artist = world.artist("Nightjar")
    for number, (letter, day, delay, stay) in enumerate(drawn):
        released = start + timedelta(days=day)
        appears = released + timedelta(days=delay)
        add = artist.album if letter == "a" else artist.single
        release = add(f"Title {number}", released.date().isoformat(), appears=appears)
        if stay:
            world.withdraw(release, appears + timedelta(days=stay))
    built = world.build()
    for at in (start + timedelta(days=probe), start, start + timedelta(days=200)):
        for group in (Group.ALBUM, Group.SINGLE):
            listed = built.listing(artist.id, group, at)
            assert {r.id for r in listed} == {r.id for r in built.releases if r.type == group and r.listed_at(at)}
            assert [r.date.value for r in listed] == sorted((r.date.value for r in listed), reverse=True)


@given(st.lists(DAYS, max_size=12), st.lists(DAYS, min_size=1, max_size=6, unique=True))
def test_consecutive_windows_hold_every_truth_exactly_once(days, cuts):
    start = instant("2026-01-01")
    world = WorldBuilder()
    one, two = world.artist("One"), world.artist("Two")
    for number, day in enumerate(days):
        when = (start + timedelta(days=day)).date().isoformat()
        release = world.joint(f"Title {number}", when, [one, two] if number % 3 else [one])
        if number % 2:
            world.twin(release, appears=start + timedelta(days=day + 5))
    built = world.build()
    edges = [start - timedelta(days=1), *(start + timedelta(days=cut) for cut in sorted(cuts)), start + timedelta(99)]
    windows = [built.truth_between([one.id, two.id], a, b) for a, b in itertools.pairwise(edges)]
    told = [truth.id for window in windows for truth in window]
    assert sorted(told) == sorted({release.truth for release in built.releases})
