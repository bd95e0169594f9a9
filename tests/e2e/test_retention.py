"""What a user sees of releases whose details were dropped: nothing new, and a sentence that says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from tests.e2e.user import User, at, day, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer

KEEP = {"FRESHWAX_RETENTION_RELEASES": "90", "FRESHWAX_RETENTION_CHECKS": "7"}


@pytest.fixture
def told_long_ago(world: WorldBuilder, birds: list[ArtistHandle]) -> str:
    """The ID of a release that was told by the first run, 300 days ago."""
    return birds[0].single("High Water", day(-310), appears=on(-310)).id


@pytest.fixture
def forgetful(
    told_long_ago: str, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, user: User, news: list[str]
) -> User:
    """A user whose second run came late, told what was new, and dropped what was old."""
    user.learnt(world, server, birds, days=300)
    server.at = at(2)
    second = user.track(**KEEP)
    assert (second.status, second.titles) == ((0, "completed"), news)
    return user


def test_what_is_forgotten_is_not_browsed_not_told_again_and_explained(forgetful: User, told_long_ago: str) -> None:
    browsed = forgetful.run("releases", "--format", "tsv").out
    assert "Low Tide" in browsed
    assert told_long_ago not in browsed

    again = forgetful.track("--force", **KEEP)
    assert (again.status, again.titles) == ((0, "completed"), [])

    story = forgetful.run("explain", told_long_ago).out
    assert story.startswith(f"{told_long_ago} (single, dated ")
    assert "are no longer kept: the setting retention.releases says for how long" in story
    assert "Told on " in story
    for more in ((), ("--artist", "Nightjar")):
        by_title = forgetful.run("explain", "High Water", *more)
        assert by_title.code == 0
        assert "may be one whose title is no longer kept" in by_title.out
        assert "No check has listed" not in by_title.out


def test_a_past_report_names_what_is_forgotten_by_its_id(forgetful: User, told_long_ago: str) -> None:
    table = forgetful.run("runs", "show", "1", "--format", "table").out
    assert f"{told_long_ago} (no longer kept)" in table
    (line,) = forgetful.run("runs", "show", "1", "--format", "json").report["releases"]
    assert (line["id"], line["title"], line["kind"]) == (told_long_ago, "", "new")


def test_old_outcomes_are_dropped_and_the_file_stays_sound(forgetful: User) -> None:
    with closing(sqlite3.connect(forgetful.database)) as plain:
        assert plain.execute("SELECT DISTINCT run_id FROM checks").fetchall() == [(2,)]
        assert plain.execute("SELECT DISTINCT run_id FROM requests").fetchall() == [(2,)]
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    assert len(forgetful.run("runs", "--format", "tsv").out.splitlines()) == 3


def test_nothing_is_forgotten_where_nobody_asked_for_it(
    told_long_ago: str, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, user: User
) -> None:
    user.learnt(world, server, birds, days=300)
    server.at = at(2)
    assert user.track().code == 0
    assert told_long_ago in user.run("releases", "--format", "tsv").out
    assert "High Water" in user.run("explain", told_long_ago).out
