from __future__ import annotations

import random
from itertools import pairwise

import pytest

from freshwax.demo import upheaval
from freshwax.demo.disasters import CATALOGUE
from freshwax.demo.generate import generate
from freshwax.demo.shapes import album
from freshwax.demo.world import World, WorldRelease, instant
from freshwax.model import DEFAULT_GROUPS

WORLDS = {one.name: one.world for one in CATALOGUE if one.world is not None}
START, END = instant("2026-03-01"), instant("2026-09-01")
LATER = instant("2029-03-01")
BEFORE, AFTER = instant("2026-02-28"), instant("2026-09-02")


@pytest.fixture
def world() -> World:
    return generate("upheaval", artists=20, start=START, end=END)


def struck(world: World, what: upheaval.Upheaval) -> World:
    return what(world, random.Random(1), (START, END))


def titles(world: World, artist: str, at) -> list[tuple[str, str]]:
    return sorted((one.truth, one.title) for one in world.listings(artist, DEFAULT_GROUPS, at))


def ids(world: World, at) -> dict[str, set[str]]:
    return {one: {release.id for release in world.listings(one, DEFAULT_GROUPS, at)} for one in world.artists}


def test_some_vanish_for_good_and_some_return(world: World) -> None:
    gone = struck(world, upheaval.vanished_for_good)
    assert sum(gone.artist(one, AFTER) is None for one in gone.artists) == 4
    back = struck(world, upheaval.vanished_and_back)
    away = [one for one in back.artists.values() if one.vanishes_at is not None]
    assert len(away) == 4
    for one in away:
        assert one.vanishes_at is not None
        assert back.artist(one.id, one.vanishes_at) is None
        assert titles(back, one.id, one.vanishes_at) == []
        assert titles(back, one.id, AFTER) == titles(world, one.id, AFTER)


def test_a_new_name_stands_on_releases_from_its_day_on(world: World) -> None:
    renamed = struck(world, upheaval.renamed)
    one = next(one for one in renamed.artists.values() if one.renamed_at is not None)
    release = renamed.listings(one.id, DEFAULT_GROUPS, AFTER)[0]
    names = [album("", release, renamed.artists, at)["artists"][0]["name"] for at in (BEFORE, AFTER)]
    credited = renamed.artists[release.artists[0]]
    assert names == [credited.name, credited.later_name or credited.name]
    assert renamed.version(one.id, BEFORE) != renamed.version(one.id, one.renamed_at or AFTER)


def test_merged_artists_hand_over_what_they_have_under_its_own_ids(world: World) -> None:
    merged = struck(world, upheaval.merged)
    gone = [one for one in merged.artists if merged.artist(one, AFTER) is None]
    assert len(gone) == 2
    assert ids(merged, BEFORE) == ids(world, BEFORE)
    before, after = ids(world, AFTER), ids(merged, AFTER)
    assert all(after[one] == set() for one in gone)
    assert set().union(*after.values()) == set().union(*before.values())


@pytest.mark.parametrize(("what", "artists"), [(upheaval.relisted, 4), (upheaval.relisted_at_once, 20)])
def test_catalogues_get_new_ids_and_stay_what_they_are(what: upheaval.Upheaval, artists: int, world: World) -> None:
    changed = struck(world, what)
    assert {one: titles(changed, one, AFTER) for one in world.artists} == {
        one: titles(world, one, AFTER) for one in world.artists
    }
    before, after = ids(world, AFTER), ids(changed, AFTER)
    assert sum(len(before[one]) > 0 and before[one] != after[one] for one in world.artists) >= artists // 2


@pytest.mark.parametrize("after", WORLDS)
@pytest.mark.parametrize("first", WORLDS)
def test_nothing_is_listed_in_two_ways_at_once(first: str, after: str) -> None:
    world = generate("overlaps", artists=20, start=START, end=LATER)
    for name in (first, after):
        world = WORLDS[name](world, random.Random(name), (START, LATER))
    versions: dict[str, list[WorldRelease]] = {}
    for release in world.releases:
        versions.setdefault(release.id, []).append(release)
    for listed in versions.values():
        listed.sort(key=lambda one: one.appears_at)
        assert all(one.withdrawn_at and one.withdrawn_at <= two.appears_at for one, two in pairwise(listed))
