"""What is told under one title stays told under another: twins of a renamed release are twins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.simulation import a_world, day, followed, on
from tests.unit.test_forgetting import forget

from freshwax.demo.builder import WorldBuilder
from freshwax.demo.world import WorldRelease


def reworked(world: WorldBuilder, release: WorldRelease, at: float, **facts: object) -> WorldRelease:
    """Give a listed release other facts; its ID stays."""
    return world.restore(replace(world.withdraw(release, on(at)), **facts), on(at))  # type: ignore[arg-type]


@pytest.mark.parametrize("pruned", [False, True], ids=["kept", "forgotten"])
@pytest.mark.parametrize("what", ["title", "type", "artists"])
def test_the_clean_twin_of_a_changed_release_is_no_news(what: str, pruned: bool) -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    facts = {"title": "Real Name", "type": "album", "artists": (nightjar.id, tern.id)}
    changed = reworked(world, nightjar.single("Working Title", day(-3)), 10, **{what: facts[what]})
    world.twin(changed, title=f"{changed.title} (Clean)", appears=on(30))
    user = followed(world, nightjar)
    assert [kind for _, kind in user.check(0)] == ["new"]
    assert user.check(14) == []
    assert not pruned or forget(user)
    assert user.check(17) == []


@pytest.mark.parametrize("pruned", [False, True], ids=["kept", "forgotten"])
def test_a_renamed_release_under_a_new_id_is_no_news(pruned: bool) -> None:
    world, nightjar = a_world()
    renamed = world.change(nightjar.single("Working Title", day(-3)), on(10), title="Real Name")
    world.relist(renamed, on(40))
    user = followed(world, nightjar)
    assert [kind for _, kind in user.check(0)] == ["new"]
    assert user.check(14) == []
    assert not pruned or forget(user)
    assert user.check(27) == []


def test_a_renamed_release_and_its_twin_in_one_check_are_one() -> None:
    world, nightjar = a_world()
    renamed = world.change(nightjar.single("Working Title", day(-3)), on(10), title="Real Name")
    world.twin(renamed, title="Real Name (Clean)", appears=on(10))
    user = followed(world, nightjar)
    assert [kind for _, kind in user.check(0)] == ["new"]
    assert user.check(14) == []


def test_a_twin_that_was_renamed_stands_for_what_is_gone() -> None:
    world, nightjar = a_world()
    first = nightjar.single("Working Title", day(-3))
    clean = world.twin(first, title="Working Title (Clean)")
    world.withdraw(first, on(5))
    world.relist(world.change(clean, on(10), title="Real Name"), on(40))
    user = followed(world, nightjar)
    assert len(user.check(0)) == 1
    assert [user.check(days) for days in (7, 7, 27)] == [[], [], []]


def test_another_edition_of_a_renamed_album_is_one() -> None:
    world, nightjar = a_world()
    world.change(nightjar.album("Working Title", day(-3)), on(10), title="Real Name")
    nightjar.album("Real Name (Deluxe Edition)", day(30))
    user = followed(world, nightjar)
    user.track()
    assert user.check(14) == []
    assert user.check(17) == [("Real Name (Deluxe Edition)", "edition")]


def test_a_renamed_release_under_a_new_id_is_no_news_through_another_artist() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    together = world.joint("Working Title", day(-3), [nightjar, tern])
    world.relist(world.change(together, on(10), title="Real Name"), on(30))
    user = followed(world, nightjar)
    assert [kind for _, kind in user.check(0)] == ["new"]
    assert user.check(14) == []
    user.follow(tern.id)
    assert user.check(17) == []


@pytest.mark.parametrize("dated", [day(-1), day(-1)[:4]], ids=["by day", "by year"])
def test_a_title_that_a_release_bore_for_a_while_is_free_for_another(dated: str) -> None:
    world, nightjar = a_world()
    mistaken = world.change(nightjar.single("Alpha", dated), on(5), title="Beta")
    world.change(mistaken, on(12), title="Alpha")
    nightjar.single("Beta", day(1), appears=on(20))
    user = followed(world, nightjar)
    assert [user.check(days) for days in (0, 7, 7)] == [[("Alpha", "new")], [], []]
    assert [title for title, _ in user.check(7)] == ["Beta"]


def test_a_title_that_is_given_back_and_taken_by_another_in_one_week_tells_the_other() -> None:
    world, nightjar = a_world()
    mistaken = world.change(nightjar.single("Alpha", day(-1)), on(5), title="Beta")
    world.change(mistaken, on(12), title="Alpha")
    nightjar.single("Beta", day(1), appears=on(12))
    user = followed(world, nightjar)
    assert [user.check(days) for days in (0, 7)] == [[("Alpha", "new")], []]
    assert [title for title, _ in user.check(7)] == ["Beta"]


def test_the_deluxe_edition_of_an_album_that_was_none_is_new() -> None:
    world, nightjar = a_world()
    mistaken = reworked(world, nightjar.single("Alpha", day(-1)), 5, type="album")
    reworked(world, mistaken, 12, type="single")
    nightjar.album("Alpha (Deluxe Edition)", day(20))
    user = followed(world, nightjar)
    assert [user.check(days) for days in (0, 7, 7)] == [[("Alpha", "new")], [], []]
    assert user.check(7) == [("Alpha (Deluxe Edition)", "new")]


def test_twins_that_are_handed_over_to_another_artist_are_told_once() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    tern.single("Old", day(-300))
    loud = nightjar.single("Loud", day(3))
    clean = world.twin(loud, title="Loud (Clean)", date=day(2), appears=on(8))
    for one in (loud, clean):
        reworked(world, one, 16, artists=(tern.id,))
    user = followed(world, nightjar, tern)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [("Loud", "new")], [], []]


def test_what_was_listed_anew_and_then_handed_over_is_told_once() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    tern.single("Old", day(-300))
    anew = world.relist(nightjar.single("Loud", day(3)), on(9))
    reworked(world, anew, 16, artists=(tern.id,))
    nightjar.single("Something Else", day(-500))
    user = followed(world, nightjar, tern)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [("Loud", "new")], [], []]


def test_a_twin_that_was_found_through_somebody_else_stays_one_whatever_the_first_is_called_by_then() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    first = world.joint("One", day(3), [nightjar, tern])
    second = reworked(world, first, 8, title="Two")
    world.twin(second, title="Two (Clean)", date=day(4), appears=on(15))
    reworked(world, second, 22, title="Three")
    user = followed(world, nightjar, tern)
    assert [len(user.check(0)), len(user.check()), len(user.check())] == [0, 1, 0]
    assert user.check(failing=[nightjar.id]) == []
    assert user.check(failing=[tern.id]) == []


def test_a_clean_twin_that_comes_when_the_first_one_is_handed_over_is_no_news() -> None:
    world, nightjar = a_world()
    tern = world.artist("Tern")
    tern.single("Old", day(-300))
    handed = reworked(world, nightjar.single("Loud", day(3)), 8, artists=(tern.id,))
    world.twin(handed, title="Loud (Clean)", date=day(2), appears=on(8))
    user = followed(world, nightjar, tern)
    assert [user.check(0), user.check(), user.check()] == [[], [("Loud", "new")], []]
