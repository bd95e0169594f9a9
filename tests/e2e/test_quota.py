"""A spent quota: a run that pauses, says how far it came, and wastes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from threading import Event

import pytest
from tests.e2e.user import PATIENCE, Answered, Done, User, at, day, ended

from freshwax.clock import SimulatedClock
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Latency, QuotaSpent, Status
from freshwax.demo.generate import generate
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.model import RunStatus
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def flock(world: WorldBuilder, server: DemoServer) -> list[ArtistHandle]:
    """Twenty artists with lists of three pages and something recent."""
    artists = [world.artist(f"Dunlin {number:02}") for number in range(20)]
    for artist in artists:
        for number in range(11):
            artist.album(f"{artist.name} album {number}", day(-300 - 30 * number))
        for number in range(4):
            artist.single(f"{artist.name} single {number}", day(-310 - 30 * number))
        artist.single(f"{artist.name} recent", day(-2))
    server.api.world = world.build()
    return artists


def adds_up(coverage: dict[str, int]) -> bool:
    return coverage["artists"] == sum(coverage[one] for one in ("checked", "fresh", "not_due", "failed", "paused"))


@pytest.mark.parametrize("whose", ["server", "own"])
def test_a_first_run_that_the_quota_cuts_short_goes_on_where_it_stopped(
    whose: str, user: User, server: DemoServer, flock: list[ArtistHandle]
) -> None:
    user.follow(flock)
    quota = 15
    if whose == "server":
        server.manners = replace(server.manners, quota=quota)
    else:
        user.env["FRESHWAX_SPOTIFY_REQUESTS_PER_DAY"] = str(quota)
    first = user.track()
    assert first.status == (3, "paused")
    checked, paused, failed = first.coverage("checked", "paused", "failed")
    assert 0 < checked < 20
    assert (checked + paused, failed) == (20, 0)
    assert adds_up(first.report["coverage"])
    assert len(first.titles) >= checked
    assert f"{checked} of 20 artists learnt" in first.err
    why = (
        "Spotify is paused until"
        if whose == "server"
        else "Your limit of 15 requests a day (requests_per_day) is reached"
    )
    assert why in first.err
    assert first.err.count(" UTC") == (2 if whose == "server" else 1)
    assert "the rest continues after" in first.err
    answered = [one for one in server.requests if one.status == 200]
    assert len(answered) == quota

    # While the pause lasts, nothing is asked, and it is said again.
    asked = len(server.requests)
    still = user.track()
    assert still.status == (3, "paused")
    assert still.coverage("checked", "fresh", "paused") == (0, checked, paused)
    assert len(server.requests) == asked
    assert why in still.err
    assert ("is paused until" if whose == "server" else "room for 0 requests") in user.run("plan").err
    doctor = user.run("doctor")
    assert (doctor.code, len(server.requests)) == (3, asked)
    if whose == "server":  # the quota of another endpoint may have room: it is asked once, and what it says is kept
        assert user.run("artists", "add", "Some Name").code == 3
        assert len(server.requests) == asked + 1
        asked += 1
    added = user.run("artists", "add", "Another Name")
    assert (added.code, len(server.requests)) == (3, asked)
    assert why in added.err
    assert "run the same command again after" in added.err

    # A day later, as far as the database knows, and with a quota that does.
    server.manners = replace(server.manners, quota=None)
    user.env["FRESHWAX_SPOTIFY_REQUESTS_PER_DAY"] = "580"
    with closing(sqlite3.connect(user.database)) as database, database:
        database.execute("UPDATE cooldowns SET until = since")
    last = user.track()
    assert last.status == (0, "completed")
    assert last.coverage("checked", "fresh", "paused") == (20 - checked, checked, 0)
    assert sorted(first.titles + still.titles + last.titles) == sorted(f"{artist.name} recent" for artist in flock)
    pages = [(one.artist, one.groups, one.offset) for one in server.requests if one.status == 200]
    assert len(pages) == len(set(pages)), "no page was read twice"


def test_a_budget_pauses_a_run_and_the_next_one_goes_on(
    user: User, server: DemoServer, flock: list[ArtistHandle]
) -> None:
    user.follow(flock)
    titles: list[str] = []
    for _ in range(10):
        before = len(server.requests)
        done = user.track("--budget", "12")
        assert adds_up(done.report["coverage"])
        assert done.report["cost"]["requests"] == len(server.requests) - before <= 12
        titles += done.titles
        if done.code == 0:
            break
        assert done.status == (3, "paused")
        assert "budget" in done.err
        assert "the rest continues with the next run" in done.err
    assert done.code == 0
    assert sorted(titles) == sorted(f"{artist.name} recent" for artist in flock)


def test_a_quota_that_ends_every_check_midway_is_remembered(
    user: User, server: DemoServer, flock: list[ArtistHandle]
) -> None:
    user.follow(flock[:4])
    server.manners = replace(server.manners, quota=6)  # the first pages of all four, the second of two
    first = user.track()
    assert first.status == (3, "paused")
    assert first.coverage("checked", "paused") == (2, 2)
    assert "paused until" in first.err
    asked = len(server.requests)
    assert user.track().status == (3, "paused")
    assert len(server.requests) == asked


def test_a_short_retry_after_is_waited_for(user: User, server: DemoServer, birds: list[ArtistHandle]) -> None:
    user.follow(birds)
    server.misbehave(Status(429, retry_after="1"), times=1)
    done = user.track()
    assert (done.status, done.coverage("checked")) == ((0, "completed"), (6,))


def test_a_long_retry_after_is_remembered(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle], news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    server.misbehave(QuotaSpent(40_000), times=1)
    first = user.track(FRESHWAX_CONCURRENCY="1")
    assert (first.status, first.coverage("checked", "paused")) == ((3, "paused"), (0, 6))
    assert "paused until" in user.track().err
    assert len(server.requests) == 1
    forced = user.track("--force")
    assert (forced.status, len(server.requests)) == ((3, "paused"), 1), "not even --force asks"
    ahead = user.run("prefetch")
    assert (ahead.code, ahead.out, len(server.requests)) == (3, "", 1)
    assert "paused until" in ahead.err
    assert user.run("doctor").code == 3
    assert len(server.log) == 2, "not even for a token: the first run's, and its one request"
    background = user.run("track", "--background")
    assert (background.code, background.out, background.err) == (3, "", "")
    cached = user.track("--from-cache")
    assert (cached.status, cached.titles) == ((3, "paused"), [])
    assert news


@pytest.mark.parametrize("whose", ["server", "own"])
def test_a_prefetch_says_that_it_may_ask_nobody(
    whose: str, user: User, server: DemoServer, flock: list[ArtistHandle]
) -> None:
    user.follow(flock)
    if whose == "server":
        server.manners = replace(server.manners, quota=15)
    else:
        user.env["FRESHWAX_SPOTIFY_REQUESTS_PER_DAY"] = "15"
    assert user.track().status == (3, "paused")
    asked = len(server.log)
    ahead = user.run("prefetch")
    assert (ahead.code, len(server.log)) == (3, asked)
    assert ahead.err.startswith("No artist was checked ahead. ")
    assert ("Spotify is paused until" if whose == "server" else "Your limit of 15 requests a day") in ahead.err
    assert "the rest continues after" in ahead.err
    assert json.loads(user.run("runs", "--format", "json").out)[0]["status"] == "paused"


def test_a_prefetch_that_has_nobody_to_wait_for_is_complete_in_a_pause_as_well(
    user: User, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.follow(birds)
    assert user.track().status == (0, "completed")
    server.misbehave(QuotaSpent(40_000), times=1)
    assert user.track("--force").status == (3, "paused")
    ahead = user.run("prefetch")
    assert (ahead.code, ahead.err.partition("\n")[0][:28]) == (0, "No artist was checked ahead.")


@pytest.mark.parametrize(("artists", "quota"), [(60, 45), (25, 300)])
def test_everyone_is_learnt_in_as_many_days_as_the_quota_needs(artists: int, quota: int, user: User) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    world = generate("quota", artists=artists, start="2026-03-01", end="2026-06-01", busy_share=0.5)
    with DemoServer(world, start) as server:
        server.manners = replace(server.manners, quota=quota)
        with closing(SQLiteStore.open(user.database)) as store:
            trial = Trial(world, server, store, SimulatedClock(start), per_day=quota)
            trial.follow(world.artists)
            days = 0
            while any(not artist.learnt for artist in store.artists()):
                run, report = trial.track(start + timedelta(days=days, minutes=days))
                days += 1
                assert days < 30, "no progress"
                coverage = run.coverage
                assert coverage.failed == 0
                assert run.cost.requests <= quota
                if coverage.paused:
                    assert (run.status, run.cost.requests) == (RunStatus.PAUSED, quota)
                    learnt = sum(artist.learnt for artist in store.artists())
                    assert any(f"{learnt} of {artists} artists learnt" in note for note in report.notes)
            asked = sum(one.cost.requests for one in store.runs())
        assert days == ceil(asked / quota)
        pages = [(one.artist, one.groups, one.offset) for one in server.requests if one.status == 200]
        assert len(pages) == len(set(pages)), "no page was read twice"


# -- two processes on one database -----------------------------------------------------------------------------------


def names(user: User, number: int) -> Path:
    """A file of names that nobody bears: a search each."""
    file = user.folder / "names.txt"
    file.write_text("".join(f"Nobody {one}\n" for one in range(number)))
    return file


def side_by_side(user: User, *commands: tuple[object, ...]) -> list[Done]:
    processes = [user.start(*command) for command in commands]
    return [ended(process) for process in processes]


def test_two_processes_share_the_quota_to_the_last_request(
    user: User, server: DemoServer, flock: list[ArtistHandle], from_scratch: None
) -> None:
    user.follow(flock)
    user.env["FRESHWAX_SPOTIFY_REQUESTS_PER_DAY"] = "25"
    server.manners = replace(server.manners, quota=25)
    begun = Event()
    server.misbehave(Latency(0.1))  # the import is not done before the run has begun
    server.misbehave(Answered(begun.set), when=lambda asked: asked.what == "search")
    importing = user.start("artists", "import", names(user, 40))
    assert begun.wait(PATIENCE)
    track = user.track()
    added = ended(importing)

    assert (track.code, added.code) == (3, 3)
    assert Counter(one.status for one in server.requests) == {200: 25}, "all of it, and not one more"
    assert {one.what for one in server.requests} == {"albums", "search"}
    assert "Your limit of 25 requests a day (requests_per_day) is reached; the rest continues after" in track.err
    assert "run the same command again after" in added.err


def test_two_processes_share_the_rate(
    user: User, server: DemoServer, flock: list[ArtistHandle], from_scratch: None
) -> None:
    user.follow(flock)
    user.env["FRESHWAX_SPOTIFY_REQUESTS_PER_SECOND"] = "20"
    side_by_side(user, ("track", "--format", "json"), ("artists", "import", names(user, 40)))

    with closing(sqlite3.connect(user.database)) as database:
        sent = [at / 1_000_000 for (at,) in database.execute("SELECT at FROM requests ORDER BY at")]
    assert len(sent) >= 80
    assert max(sum(begin <= at < begin + 2 for at in sent) for begin in sent) <= 2 * 20 + 1


def test_a_run_heeds_a_pause_that_another_command_is_told_meanwhile(
    user: User, server: DemoServer, flock: list[ArtistHandle], from_scratch: None
) -> None:
    user.follow(flock)
    begun = Event()
    server.misbehave(Latency(0.2))
    server.misbehave(Answered(begun.set), when=lambda asked: asked.what == "albums")
    server.misbehave(Status(429, retry_after="7200"), when=lambda asked: asked.what == "search")
    process = user.start("track", "--format", "json", FRESHWAX_CONCURRENCY="1")
    assert begun.wait(PATIENCE)
    added = user.run("artists", "add", "Some Name")
    asked = len(server.requests)
    track = ended(process)

    assert added.code == 3
    assert "it asked to be left alone" in added.err
    assert track.status == (3, "paused")
    assert "it asked to be left alone" in track.err
    assert len(server.requests) <= asked + 2, "what was under way, no more"
    assert track.coverage("paused")[0] > 0
    assert len(track.titles) >= track.coverage("checked")[0]
