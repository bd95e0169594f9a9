"""``freshwax profile``: what is known of an artist's activity, and what is not."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from tests.e2e.user import User, day

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer
from freshwax.model import ArtistState, Ref
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def birds(birds: list[ArtistHandle], world: WorldBuilder) -> list[ArtistHandle]:
    """The birds, one with a single release, and one without any."""
    godwit = world.artist("Godwit")
    godwit.album("Godwit One", day(-200))
    return [*birds, godwit, world.artist("Dunlin")]


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    """All of them, learnt a week ago."""
    user.learnt(world, server, birds)
    return birds


def test_a_profile_of_everybody(user: User, learnt: list[ArtistHandle], server: DemoServer) -> None:
    rows = {row["name"]: row for row in json.loads(user.run("profile", "--format", "json").out)}

    assert len(rows) == 8
    ruff = rows["Ruff"]
    assert (ruff["releases"], ruff["last_release_days_ago"]) == (2, 400)
    assert ruff["release_frequency"] == "inactive"
    assert ruff["avg_releases_per_year"] > 0
    assert 1 <= ruff["recommended_check_interval_days"] <= 90
    assert rows["Godwit"]["release_frequency"] == "low"
    assert (rows["Dunlin"]["releases"], rows["Dunlin"]["last_release_days_ago"]) == (0, None)
    assert server.log == []


def test_the_table_fits_a_terminal(user: User, world: WorldBuilder, learnt: list[ArtistHandle]) -> None:
    user.follow([ArtistHandle("1" * 22, "A Name That Goes On And On " * 4, world), ArtistHandle("2" * 22, "", world)])
    done = user.run("profile", "--format", "table")
    assert max(map(len, done.out.splitlines())) <= 80
    assert "not checked yet" in done.out
    assert "2 artists were not checked yet: the rate is what the other artists on the list let expect." in done.err


@pytest.mark.parametrize(("name", "says"), [("Godwit", "Only one release"), ("Dunlin", "No release")])
def test_little_history_is_told(user: User, learnt: list[ArtistHandle], name: str, says: str) -> None:
    done = user.run("profile", name, "--format", "json")
    assert [row["name"] for row in json.loads(done.out)] == [name]
    assert f"{says} with a full date is known" in done.err


def test_an_artist_that_was_never_checked_has_its_peers_rate(
    user: User, world: WorldBuilder, learnt: list[ArtistHandle]
) -> None:
    user.follow([ArtistHandle("1" * 22, "Stint", world)])
    done = user.run("profile", "Stint", "--format", "json")
    (row,) = json.loads(done.out)
    assert row["avg_releases_per_year"] > 0
    assert row["release_frequency"] != "inactive"
    assert "Stint was not checked yet" in done.err


def test_a_disabled_artist_can_be_asked_for(user: User, learnt: list[ArtistHandle]) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        store.set_state(Ref("spotify", learnt[0].id), ArtistState.DISABLED)
    assert "Nightjar" not in user.run("profile").out
    assert "Nightjar" in user.run("profile", "Nightjar").out


def test_nobody_to_show(user: User, learnt: list[ArtistHandle]) -> None:
    done = user.run("profile", "Nobody")
    assert (done.code, done.out) == (2, "")
    assert "'Nobody' is not on the watch list." in done.err


def test_an_empty_watch_list_is_what_it_is_for_track(user: User) -> None:
    track, profile = user.run("track"), user.run("profile")
    assert (profile.code, profile.out, profile.err) == (2, "", track.err)


@pytest.mark.parametrize("who", ["Nobody", "1" * 22])
@pytest.mark.parametrize("command", [["profile"], ["patterns"], ["plan", "--explain"]])
def test_on_an_empty_list_nobody_is_looked_for(user: User, command: list[str], who: str) -> None:
    user.follow([])
    done = user.run(*command, who)
    assert (done.code, done.out) == (2, "")
    assert "The watch list is empty" in done.err
