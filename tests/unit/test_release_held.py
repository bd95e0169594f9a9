"""What a flood held back, and its twins, when the user asks for it: told once, as what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.memory_store.store import MemoryStore
from tests.simulation import Simulation, a_world, day, on
from tests.unit.test_changed_titles import reworked
from tests.unit.test_forgetting import forget

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.discovery.classify import Moment
from freshwax.model import Mode, Ref
from freshwax.store.base import Store
from freshwax.store.sqlite import SQLiteStore
from freshwax.tracking.options import STDOUT
from freshwax.tracking.session import decide_held

FLOOD = 40
NEWS = [("Tide", "new")]
NewStore = Callable[[], Store]


@pytest.fixture(params=[MemoryStore, lambda: SQLiteStore.open(":memory:")], ids=["memory", "sqlite"])
def new_store(request: pytest.FixtureRequest) -> NewStore:
    found: NewStore = request.param
    return found


def flooded(date: float = 3) -> tuple[WorldBuilder, ArtistHandle]:
    """Return a world with an artist who has far too much new on the fourth day."""
    world, nightjar = a_world()
    nightjar.single("Old", day(-400))
    for number in range(FLOOD):
        nightjar.single(f"Flood {number}", day(date), appears=on(3))
    return world, nightjar


def user_of(world: WorldBuilder, new_store: NewStore, *artists: ArtistHandle) -> Simulation:
    user = Simulation(world.build(), 10, store=new_store())
    user.follow(*(artist.id for artist in artists))
    return user


def asked_for(user: Simulation, artist: ArtistHandle) -> int:
    """Ask for what was held of an artist; return how much that is."""
    last = user.store.runs(1)[0]
    moment = Moment(user.clock.now(), last.id, "US", 90)
    return decide_held(user.store, Ref("spotify", artist.id), moment, (STDOUT,))


def beside_the_flood(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [one for one in told if not one[0].startswith("Flood")]


def test_the_twins_on_either_side_of_a_held_one_stay_its_twins(new_store: NewStore) -> None:
    world, nightjar = flooded()
    tide = nightjar.single("Tide", day(3))
    world.twin(tide, title="Tide (Clean)", date=day(0), appears=on(10))
    world.twin(tide, title="Tide (Explicit)", date=day(6), appears=on(17))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [], [], []]
    assert asked_for(user, nightjar) == FLOOD + 1
    assert beside_the_flood(user.check()) == NEWS


def test_what_replaced_a_held_one_is_not_told_beside_it(new_store: NewStore) -> None:
    world, nightjar = flooded(-2)
    tide = nightjar.single("Tide", day(6))
    world.withdraw(tide, on(10))
    world.twin(tide, date=day(1), appears=on(10))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [], []]
    assert asked_for(user, nightjar) == FLOOD + 1
    assert beside_the_flood(user.check()) == NEWS


def test_what_was_told_through_another_artist_meanwhile_is_not_told_again(new_store: NewStore) -> None:
    world, nightjar = flooded(-2)
    tern = world.artist("Tern")
    tern.single("Old", day(-400))
    tide = world.joint("Tide", day(6), [nightjar, tern])
    world.withdraw(tide, on(10))
    world.twin(tide, date=day(1), appears=on(10))
    user = user_of(world, new_store, nightjar, tern)
    assert [user.check(0), user.check(failing=[tern.id]), user.check(failing=[tern.id])] == [[], [], []]
    assert user.check() == NEWS
    assert asked_for(user, nightjar) == FLOOD
    assert beside_the_flood(user.check()) == []


def test_the_twin_of_a_held_one_that_was_renamed_stays_its_twin(new_store: NewStore) -> None:
    world, nightjar = flooded()
    renamed = reworked(world, nightjar.single("Tide", day(3)), 9, title="Ebb")
    world.twin(renamed, title="Ebb (Clean)", appears=on(16))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [], [], []]
    assert asked_for(user, nightjar) == FLOOD + 1
    assert len(beside_the_flood(user.check())) == 1


def test_a_twin_whose_details_were_dropped_is_not_told_in_place_of_the_held_one(new_store: NewStore) -> None:
    world, nightjar = flooded()
    world.twin(nightjar.single("Tide", day(3)), title="Tide (Clean)", appears=on(10))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [], []]
    user.wait(30)
    assert forget(user)
    asked_for(user, nightjar)
    assert beside_the_flood(user.check()) == NEWS


def test_the_edition_of_a_held_one_stays_an_edition(new_store: NewStore) -> None:
    world, nightjar = flooded()
    deluxe = world.edition(nightjar.single("Tide", day(3)), "Tide (Deluxe)", day(10), appears=on(10))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [], [("Tide (Deluxe)", "edition")]]
    before = user.store.follow(Ref("spotify", nightjar.id)).known[deluxe.id]
    asked_for(user, nightjar)
    assert user.store.follow(Ref("spotify", nightjar.id)).known[deluxe.id] == before
    assert beside_the_flood(user.check()) == NEWS


def test_a_twin_that_came_much_later_does_not_make_the_held_one_back_catalogue(new_store: NewStore) -> None:
    world, nightjar = flooded()
    tide = nightjar.single("Tide", day(-4), appears=on(3))
    world.twin(tide, title="Tide (Clean)", date=day(-5), appears=on(118))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check(150)] == [[], [], []]
    asked_for(user, nightjar)
    assert beside_the_flood(user.check()) == NEWS


def test_what_is_held_through_one_artist_is_told_through_another_and_its_twin_is_not(new_store: NewStore) -> None:
    world, nightjar = flooded()
    tern = world.artist("Tern")
    tern.single("Old", day(-300))
    tide = nightjar.single("Tide", day(3))
    world.twin(tide, title="Tide (Clean)", date=day(2), appears=on(3))
    reworked(world, tide, 8, artists=(tern.id,))
    user = user_of(world, new_store, nightjar, tern)
    assert [user.check(0), user.check(), user.check()] == [[], [], [("Tide", "new")]]
    assert asked_for(user, nightjar) == FLOOD
    assert beside_the_flood(user.check()) == []


def test_a_twin_that_was_renamed_and_back_does_not_stand_for_the_held_one(new_store: NewStore) -> None:
    world, nightjar = flooded(-2)
    clean = world.twin(nightjar.single("Tide", day(3)), title="Tide (Clean)", appears=on(10))
    reworked(world, reworked(world, clean, 16, title="Ebb"), 23, title="Tide (Clean)")
    user = user_of(world, new_store, nightjar)
    assert [user.check(7 if number else 0) for number in range(5)] == [[], [], [], [], []]
    assert asked_for(user, nightjar) == FLOOD + 1
    assert beside_the_flood(user.check()) == NEWS


def test_what_is_held_is_no_edition_of_its_own_edition(new_store: NewStore) -> None:
    world, nightjar = flooded()
    deluxe = world.edition(nightjar.single("Tide", day(3)), "Tide (Deluxe)", day(10), appears=on(10))
    world.twin(deluxe, title="Tide (Deluxe) (Clean)", appears=on(17))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [], [("Tide (Deluxe)", "edition")], []]
    asked_for(user, nightjar)
    assert beside_the_flood(user.check()) == NEWS


@pytest.mark.parametrize("appears", [3, 10])
def test_a_baseline_shows_no_twin_of_what_is_held(new_store: NewStore, appears: int) -> None:
    world, nightjar = flooded()
    world.twin(nightjar.single("Tide", day(3)), title="Tide (Clean)", appears=on(appears))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check()] == [[], [], []]
    assert len(user.store.held()[0][1]) == FLOOD + 1
    assert user.check(0.5, mode=Mode.BASELINE) == []


def test_what_took_the_place_of_a_held_one_is_known_to_those_who_told_that(new_store: NewStore) -> None:
    world, nightjar = flooded(-20)
    tern = world.artist("Tern")
    tide = world.joint("Tide", day(-4), [nightjar, tern], appears=on(3))
    world.withdraw(tide, on(15))
    world.twin(tide, date=day(-9), appears=on(15))
    for number in range(9):
        tern.single(f"Younger {number}", day(-1))
    tern.single("Between", day(-6))
    for number in range(30):
        tern.single(f"Older {number}", day(-300 - number))
    user = user_of(world, new_store, nightjar, tern)
    user.check(0)
    assert user.check(failing=[tern.id]) == []
    assert user.check(1) == NEWS
    assert user.check(7.5, failing=[tern.id]) == []
    assert user.check(1) == []


def test_a_held_one_is_no_edition_of_what_took_the_place_of_its_edition(new_store: NewStore) -> None:
    world, nightjar = flooded()
    deluxe = world.edition(nightjar.single("Tide", day(3)), "Tide (Deluxe)", day(10), appears=on(10))
    world.withdraw(deluxe, on(17))
    world.twin(deluxe, date=day(15), appears=on(17))
    user = user_of(world, new_store, nightjar)
    assert [user.check(0), user.check(), user.check(), user.check()] == [[], [], [("Tide (Deluxe)", "edition")], []]
    asked_for(user, nightjar)
    assert beside_the_flood(user.check()) == NEWS


def test_what_is_held_and_put_off_is_not_out_by_its_old_date(new_store: NewStore) -> None:
    world, nightjar = flooded()
    tide = nightjar.single("Tide", day(20), appears=on(3))
    world.withdraw(tide, on(10))
    world.twin(tide, date=day(25), appears=on(10))
    user = user_of(world, new_store, nightjar)
    assert [user.check(7 if number else 0) for number in range(4)] == [[], [], [], []]
    asked_for(user, nightjar)
    assert beside_the_flood(user.check(1)) == [("Tide", "upcoming")]
