"""The ways to run: in the background, from the cache, into a file, for some artists, types or kinds, at once twice."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.user import Answered, User, at, day, ended, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Latency
from freshwax.demo.server import DemoServer


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    """The birds, learnt a week ago; their news are out."""
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def log_of(home: Path) -> str:
    return "".join(path.read_text() for path in home.rglob("freshwax.log"))


def test_the_background_is_silent_and_the_cache_answers_without_a_request(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str], home: Path
) -> None:
    done = user.run("track", "--background")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "completed" in log_of(home)
    assert "demo-secret" not in log_of(home)
    server.stop()

    first = user.track("--from-cache")
    assert (first.status, first.titles) == ((0, "completed"), news)
    assert (first.report["run"]["mode"], first.coverage("checked")) == ("from-cache", (6,))
    again = user.track("--from-cache")
    assert (again.report["run"]["mode"], again.titles) == ("repeat", news)
    assert "last report again" in again.err
    assert user.track("--from-cache").titles == news
    with server:
        after = user.track()
        assert (after.titles, after.coverage("fresh")) == ([], (6,))


def test_the_background_is_silent_with_files_too(
    user: User, server: DemoServer, birds: list[ArtistHandle], tmp_path: Path, home: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(artist.id for artist in birds))
    done = user.run("track", "--background", listed)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "6 of 6 artists checked" in log_of(home)


def test_a_failure_in_the_background_is_in_the_log(
    user: User, server: DemoServer, learnt: list[ArtistHandle], tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "my.log"
    server.stop()
    done = user.run("track", "--background", FRESHWAX_LOG_FILE=str(log))
    assert (done.code, done.out, done.err) == (3, "", "")
    text = log.read_text()
    assert "cannot be reached" in text
    assert all(line[:4].isdigit() for line in text.splitlines()), "an instant on every line"
    server.start()


def test_the_log_is_rotated(user: User, learnt: list[ArtistHandle], tmp_path: Path) -> None:
    log = tmp_path / "my.log"
    log.write_text("x" * 999_990 + "\n")
    assert user.run("track", "--background", FRESHWAX_LOG_FILE=str(log)).code == 0
    assert (tmp_path / "my.log.1").stat().st_size >= 999_990
    assert log.stat().st_size < 100_000


def test_since_shows_what_was_first_seen_told_or_not(user: User, learnt: list[ArtistHandle], news: list[str]) -> None:
    user.run("track", "--background")
    assert user.track("--from-cache", "--types", "album").titles == ["Ebb"]
    since = user.track("--from-cache", "--since", day(-1))
    assert since.titles == news
    assert user.track("--from-cache", "--since", day(-1)).titles == news
    assert user.track("--from-cache", "--since", day(2)).titles == []
    assert user.track("--from-cache").report["run"]["mode"] == "repeat", "and what was untold is told now"


def test_the_cache_before_the_first_run_has_nothing_to_show(user: User, birds: list[ArtistHandle]) -> None:
    user.follow(birds)
    done = user.track("--from-cache")
    assert (done.code, done.out) == (2, "")
    assert "freshwax track" in done.err


def test_nothing_new_is_said_only_where_it_is_known(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    user.track()
    assert "Nothing new." in user.run("track", "--format", "table", "--force").out


def test_a_report_into_a_file(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str], tmp_path: Path
) -> None:
    target = tmp_path / "report.json"
    target.write_text("the old one")
    for place in (tmp_path / "missing" / "report.json", tmp_path, target / "report.json"):
        wrong = user.track("--output", place)
        assert (wrong.code, wrong.out) == (2, "")
        assert str(place) in wrong.err
    assert server.requests == [], "what cannot be written is found out first"
    done = user.track("--output", target)
    assert (done.code, done.out) == (0, "")
    assert sorted(one["title"] for one in json.loads(target.read_text())["releases"]) == news
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.json"]
    assert user.track().titles == []
    (Path.home() / "here").mkdir()
    assert user.track("--from-cache", "--output=~/here/report.json").code == 0
    assert (
        sorted(one["title"] for one in json.loads((Path.home() / "here/report.json").read_text())["releases"]) == news
    )


def test_a_report_that_cannot_be_written_is_not_told(user: User, learnt: list[ArtistHandle], news: list[str]) -> None:
    with user.start("track", "--format", "json", "--output", "/dev/full") as process:
        failed = ended(process)
    assert failed.code == 2
    assert "cannot be written" in failed.err
    assert user.track().titles == news


def test_a_file_limits_the_run_and_its_report(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str], tmp_path: Path
) -> None:
    user.run("track", "--background")
    listed = tmp_path / "list.txt"
    listed.write_text(f"# two of them\n{learnt[0].id}\n{learnt[1].id}\n")
    asked = len(server.requests)
    some = user.track(listed)
    assert some.coverage("artists", "fresh") == (2, 2)
    assert some.titles == ["Ebb", "Estuary", "Low Tide"]
    assert len(server.requests) == asked
    assert user.track().titles == ["Slack Water"], "the rest stays untold"
    piped = user.run("track", "--format", "json", "--force", "-", stdin=f"{learnt[5].id}\n")
    assert piped.coverage("artists", "checked") == (1, 1)


def test_types_are_scope_and_kinds_are_a_filter(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    learnt[4].album("Next Month", day(20), appears=at(1))
    server.api.world = world.build()
    assert user.track("--types", "album").titles == ["Ebb", "Next Month"]
    done = user.track("--types", "single,album", "--kinds", "upcoming")
    assert done.titles == []
    assert "filters hid 3 releases" in done.err
    assert user.track("--force").titles == [], "what a filter hid counts as told"
    why = user.run("explain", "Low Tide")
    assert "kinds" in why.out
    assert "filter" in why.out


def test_a_budget_bounds_a_run_and_force_asks_all(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    bounded = user.track("--budget", "4")
    assert bounded.status == (3, "paused")
    assert len(server.requests) <= 4
    user.track()
    second = user.track()
    assert (second.status, second.coverage("checked", "fresh", "not_due")) == ((0, "completed"), (0, 6, 0))
    assert second.report["cost"]["requests"] == 0
    old = user.track(FRESHWAX_FRESH_FOR="0")
    assert (old.status, old.coverage("checked", "fresh", "not_due")) == ((0, "completed"), (0, 0, 6))
    assert user.track("--force").coverage("checked") == (6,)


def test_of_whom_force_did_not_reach_the_next_run_is_not_said_to_go_on(
    user: User, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    first = user.track("--force", "--budget", "3")
    assert "is spent; the rest continues with the next run." in first.err, "all of them were due"
    user.track()
    again = user.track("--force", "--budget", "3")
    assert again.status == (3, "paused")
    assert "who is due continues with the next run, the others with the same command." in again.err
    assert user.track().coverage("checked", "fresh") == (0, 6)


def test_a_baseline_prints_the_recent_past_whenever_it_is_asked_for(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    user.track()
    learnt[5].single("Out Just Now", day(0), appears=at(3))
    server.api.world = world.build()
    server.at = at(4)
    expected = sorted([*news, "Out Just Now"])
    for _ in range(2):
        done = user.track("--baseline")
        assert (done.status, done.titles, done.report["run"]["mode"]) == ((0, "completed"), expected, "baseline")
        assert done.coverage("checked") == (6,)
    assert len(user.track("--baseline", "--lookback", "500").titles) == 11
    assert user.track("--force").titles == []


def test_a_second_run_at_once_is_refused_and_reading_goes_on(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    arrived, release = threading.Event(), threading.Event()

    def hold() -> None:
        arrived.set()
        release.wait(30)

    fault = server.misbehave(Answered(hold), times=1)
    with user.start("track", "--format", "json") as first:
        assert arrived.wait(20)
        second = user.track()
        assert (second.code, second.out) == (4, "")
        assert "another run is active" in second.err
        assert str(first.pid) in second.err
        assert user.run("track", "--background").code == 4
        assert user.run("runs").code == user.run("releases").code == user.run("artists", "list").code == 0
        assert user.run("artists", "add", learnt[0].id).code == 0
        release.set()
        done = ended(first)
    server.repair(fault)
    assert (done.status, done.titles) == ((0, "completed"), news)


def test_a_report_that_is_being_read_survives_a_run_in_the_background(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    """A pager holds the report back; cron starts a run meanwhile."""
    for number in range(9):
        learnt[number % 6].single(f"{number} " + "long " * 2_500, day(0), appears=at(1))
    learnt[0].single("Later", day(0), appears=at(3))
    server.api.world = world.build()
    assert user.run("track", "--background").code == 0
    server.at = at(4)
    with user.start("track", "--from-cache", "--format", "json") as reader:
        assert reader.stdout is not None
        # The report is fixed, and more of it than a pipe holds waits to be read.
        beginning = os.read(reader.stdout.fileno(), 1).decode()
        other = user.track("--from-cache")
        assert (other.code, other.out) == (4, ""), "or it would tell the same again"
        assert "being printed" in other.err
        assert user.run("track", "--background", "--force").code == 0
        done = ended(reader)
    first = json.loads(beginning + done.out)
    assert done.code == 0
    assert len(first["releases"]) == 13
    assert user.track("--from-cache").titles == ["Later"]


def test_the_cache_speaks_of_the_last_run_that_ended(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    user.run("track", "--background")
    before = json.loads(user.run("runs", "--format", "json").out)[0]["id"]
    arrived = threading.Event()
    fault = server.misbehave(Answered(arrived.set))
    with user.start("track", "--background", "--force") as process:
        assert arrived.wait(20)
        process.kill()
        process.communicate()
    server.repair(fault)
    cached = user.track("--from-cache")
    assert (cached.status, cached.report["run"]["id"], cached.titles) == ((3, "completed"), before, news)
    assert "was killed before it ended" in cached.err


def test_the_cache_of_a_first_run_that_was_killed_claims_nothing(
    user: User, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.follow(birds)
    arrived = threading.Event()
    server.misbehave(Answered(arrived.set))
    with user.start("track", "--background") as process:
        assert arrived.wait(20)
        process.kill()
        process.communicate()
    cached = user.run("track", "--from-cache", "--format", "table")
    assert cached.code == 3
    assert "was killed before it ended" in cached.out
    assert "Nothing new." not in cached.out


def test_disabled_and_removed_artists_are_outside_the_counts(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    assert user.run("artists", "disable", learnt[0].id).code == 0
    assert user.run("artists", "remove", "Wren").code == 0
    done = user.track()
    assert (done.coverage("artists", "checked"), done.titles) == ((4, 4), ["Ebb", "Estuary"])
    assert user.run("artists", "enable", "Nightjar").code == 0
    assert user.track().titles == ["Low Tide"], "disabled is a long gap, nothing else"
    assert user.run("artists", "add", learnt[2].id).code == 0
    assert user.track().titles == ["Slack Water"], "followed again: a baseline"


def test_what_was_found_can_be_looked_up(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    number = user.track().report["run"]["id"]
    rows = json.loads(user.run("runs", "--format", "json").out)
    assert rows[0]["id"] == number
    assert json.loads(user.run("releases", "--format", "json", "--since", day(-3)).out)[0]["title"]
    why = user.run("explain", "Ebb")
    assert why.code == 0
    assert "Told on" in why.out
    for whose, said in (
        ("Tern", "Tern: the last good check was"),
        ("Knot", "No check of Knot has listed it: the"),
    ):
        asked = user.run("explain", "Ebb", "--artist", whose)
        assert "Told on" in asked.out, "theirs or not, it is known"
        assert said in asked.out
    for unknown in ("Nothing Of The Kind", "0" * 22):
        asked = user.run("explain", unknown)
        assert (asked.code, asked.err) == (0, "")
        assert "No check has listed" in asked.out
    old = user.run("explain", "Tern Two")
    assert "never told" in old.out
    assert user.run("runs", "show", number + 1).code == 2


def test_a_flood_is_held_and_told_when_the_user_says_so(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    for number in range(60):
        learnt[5].single(f"Flood {number:02}", day(0), appears=at(1))
    server.api.world = world.build()
    done = user.track()
    assert done.titles == ["Ebb", "Estuary", "Low Tide", "Slack Water"]
    assert "release-held" in done.err
    assert "Ruff" in done.err
    held = [{"artist": {"id": learnt[5].id, "name": "Ruff"}, "count": 60}]
    assert done.report["held"] == user.track("--from-cache").report["held"] == held
    again = user.track("--force")
    assert (again.status, again.titles, again.report["held"]) == ((0, "completed"), [], held)
    assert json.loads(user.run("runs", "show", again.report["run"]["id"], "--format", "json").out)["held"] == held
    assert "held back" in user.run("doctor", "--offline").out
    healthy = user.run("doctor", "--offline", "--json")
    assert (healthy.code, healthy.report["held"]) == (0, held)
    released = user.run("release-held", "Ruff")
    assert "60 releases will be told" in released.err
    assert user.track("--from-cache").titles == [f"Flood {number:02}" for number in range(60)]
    assert user.track("--force").titles == []
    assert user.track().report["held"] == user.run("doctor", "--offline", "--json").report["held"] == []


def test_an_artist_that_does_not_exist_fails_twice_and_is_gone(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    unknown = "0" * 22
    assert user.run("artists", "add", unknown).code == 0
    first = user.track()
    assert (first.status, first.titles) == ((3, "partial"), news)
    assert first.coverage("artists", "checked", "failed") == (7, 6, 1)
    assert unknown in first.err
    for _ in range(2):
        again = user.track()
        assert (again.code, again.coverage("artists", "fresh", "failed")) == (3, (7, 6, 1)), "one bad morning"
    with closing(sqlite3.connect(user.database)) as database, database:  # which was yesterday
        database.execute("UPDATE checks SET at = at - 86400000000")
    last = user.track("--force")
    assert (last.status, last.coverage("artists", "checked", "failed")) == ((0, "completed"), (6, 6, 0))
    assert "Gone" in last.err
    asked = len(server.requests)
    assert user.track().status == (0, "completed")
    assert len(server.requests) == asked
    states = {one["id"]: one["state"] for one in json.loads(user.run("artists", "list", "--format", "json").out)}
    assert states[unknown] == "gone"


def test_only_one_artist_that_does_not_exist(user: User, birds: list[ArtistHandle]) -> None:
    user.run("artists", "add", "0" * 22)
    assert [user.track().status for _ in range(4)] == [(3, "failed")] * 4


def test_an_upcoming_release_is_told_again_when_it_is_out(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    birds[4].album("Soon", day(-2), appears=on(-20))
    server.api.world = world.build()
    user.learnt(world, server, birds, days=7)  # five days before its day: told as upcoming
    done = user.track("--from-cache")
    assert done.kinds == {"Soon": "new"}, "from local state, without a request"
    assert user.track("--force").titles == []


def test_a_run_over_http_ends_although_the_server_holds_connections_open(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    server.misbehave(Latency(0.05))
    assert user.track().titles == news
