"""``freshwax patterns``: what is claimed, what is not, and the numbers for both."""

from __future__ import annotations

import json

import pytest
from tests.e2e.user import User, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer


@pytest.fixture
def birds(birds: list[ArtistHandle], world: WorldBuilder) -> list[ArtistHandle]:
    """The birds, one who releases every other week, others at odd times, and one who never did."""
    steady, silent = world.artist("Steady"), world.artist("Silent")
    for number in range(40):
        steady.single(f"Steady {number}", day(-20 - 14 * number))
    odd = [world.artist(f"Odd {which}") for which in range(4)]
    for which, one in enumerate(odd):
        for number in range(20):
            one.single(f"Odd {which} {number}", day(-25 - 13 * which - (31 * number * number) % 997))
    return [*birds, *odd, steady, silent]


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    """All of them, learnt a week ago."""
    user.learnt(world, server, birds)
    return birds


def test_everybody_has_a_row_and_every_pattern_its_numbers(
    user: User, learnt: list[ArtistHandle], server: DemoServer
) -> None:
    done = user.run("patterns", "--format", "json")
    rows = {row["name"]: row for row in json.loads(done.out)}
    assert len(rows) == len(learnt)
    assert rows["Steady"]["gap"]["claimed"]
    assert rows["Steady"]["gap"]["median_days"] == 14
    assert rows["Steady"]["gap"]["score"] < rows["Steady"]["gap"]["peers_score"]
    assert (rows["Silent"]["releases"], rows["Silent"]["last_release"]) == (0, None)
    assert rows["Silent"]["window"]["score"] is None
    assert "artists have a pattern" in done.err
    assert server.log == []


def test_the_best_are_those_of_whom_something_is_claimed(user: User, learnt: list[ArtistHandle]) -> None:
    names = [row["name"] for row in json.loads(user.run("patterns", "--best", "--format", "json").out)]
    assert "Steady" in names
    assert "Silent" not in names


def test_one_artist_pattern_by_pattern(user: User, learnt: list[ArtistHandle]) -> None:
    rows = {row["pattern"]: row for row in json.loads(user.run("patterns", "Steady", "--format", "json").out)}
    assert list(rows) == ["weekday", "months", "gap", "albums", "leads", "window"]
    assert rows["gap"]["finding"] == "14 days (14-14)"
    assert rows["albums"]["why"] == "too little history"
    done = user.run("patterns", "Silent", "--format", "table")
    assert done.out.count("no pattern: too little history") == 6
    assert "Silent: no release with a known day up to today." in done.err


@pytest.mark.parametrize("arguments", [["--format", "table"], ["Steady", "--format", "table"]])
def test_the_table_fits_a_terminal(user: User, learnt: list[ArtistHandle], arguments: list[str]) -> None:
    assert max(map(len, user.run("patterns", *arguments).out.splitlines())) <= 80


def test_what_cannot_be_answered_is_said(user: User, learnt: list[ArtistHandle]) -> None:
    both = user.run("patterns", "Steady", "--best")
    assert (both.code, both.out) == (2, "")
    assert "leave out ARTIST, or --best" in both.err
    assert user.run("patterns", "Nobody").code == 2
