"""A list that was not read to its end yet: what goes from the part read before must not make news of the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.simulation import START, Simulation, day

from freshwax.demo.builder import WorldBuilder
from freshwax.demo.world import WorldRelease


class Unread:
    """An artist with 25 old albums and 25 old singles, of which a spent budget let freshwax read ten each."""

    def __init__(self) -> None:
        self.world = WorldBuilder()
        artist = self.world.artist("Nightjar")
        self.albums = [artist.album(f"Album {n}", day(-200 - 50 * n)) for n in range(25)]
        self.singles = [artist.single(f"Single {n}", day(-180 - 20 * n)) for n in range(25)]
        self.artist = artist

    def user(self) -> Simulation:
        user = Simulation(self.world.build())
        user.follow(self.artist.id)
        assert user.check(0, budget=2) == []
        return user


def told(unread: Unread, weeks: int = 5) -> list[tuple[str, str]]:
    """What is told in some weeks in which the budget has no request for depth, and in one in which it has."""
    user = unread.user()
    found = [line for _ in range(weeks) for line in user.check(budget=3)]
    return found + user.check()


@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("kind", ["albums", "singles"])
def test_a_release_listed_anew_under_another_id_brings_up_nothing_old(kind: str, at: int) -> None:
    unread = Unread()
    listed: list[WorldRelease] = getattr(unread, kind)
    unread.world.relist(listed[at], START + timedelta(days=3))
    assert told(unread) == []


@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("kind", ["albums", "singles"])
def test_a_withdrawn_release_brings_up_nothing_old(kind: str, at: int) -> None:
    unread = Unread()
    listed: list[WorldRelease] = getattr(unread, kind)
    unread.world.withdraw(listed[at], START + timedelta(days=3))
    assert told(unread) == []


@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("kind", ["album", "single"])
def test_a_late_arrival_above_what_was_read_is_news(kind: str, at: int) -> None:
    unread = Unread()
    step = 50 * at + 190 if kind == "album" else 20 * at + 170
    unread.world.release(kind, "Found in the attic", day(-step), [unread.artist], appears=START + timedelta(days=3))
    assert told(unread) == [("Found in the attic", "back_catalogue")]
