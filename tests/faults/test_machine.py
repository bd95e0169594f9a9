"""What the machine does to a run: a disk that is full, slow or read-only, a database that others hold, a second run.

One clear sentence, the right exit code, the database whole; and the next run makes good for everything, once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.user import Answered, Done, Nursery, User, at, day, ended, until

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="machines are made ill in a child process")

TRACK = ("track", "--format", "json")
LESS_THAN_ITS_PATIENCE = 4.5  # seconds; it waits for locks of others for 5


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def assert_whole(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def assert_refused(done: Done, code: int, words: str) -> None:
    """Nothing on standard output, and one sentence that says why."""
    assert (done.code, done.out) == (code, ""), done.err
    assert re.fullmatch(rf"freshwax: [^\n]*{words}[^\n]*\n", done.err), done.err


def pages(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        return int(count)


def when_asked(server: DemoServer, number: int, act: Callable[[], object]) -> None:
    """Do something while the server answers its so-many-th request."""

    def maybe() -> None:
        if len(server.requests) + 1 == number:
            act()

    server.misbehave(Answered(maybe))


# -- the disk --------------------------------------------------------------------------------------------------------


@pytest.fixture
def much(world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle], news: list[str]) -> list[str]:
    """More news than fits into the room that is left in the database's pages."""
    titles = [f"{artist.name} {number} " + "long " * 200 for artist in learnt for number in range(3)]
    for artist, title in zip([one for one in learnt for _ in range(3)], titles, strict=True):
        artist.single(title, day(0), appears=at(1))
    server.api.world = world.build()
    return sorted(news + titles)


@pytest.mark.slow
@pytest.mark.parametrize("command", [TRACK, ("track", "--background"), ("prefetch",)], ids=lambda one: one[-1])
def test_a_disk_that_is_full_from_some_statement_on(
    command: tuple[str, ...], nursery: Nursery, user: User, much: list[str]
) -> None:
    """A little more fits each time, until everything does: whatever was told by then is told once."""
    room, told, ends = pages(user.database), [], []
    while not ends or ends[-1] == 2:
        done = nursery.run(user, *command, pages=room)
        ends.append(done.code)
        if done.code == 2:
            assert_refused(done, 2, "the disk is full: free some space and try again")
        elif done.out:
            told += done.titles
        assert_whole(user.database)
        room += 1
    assert len(ends) > 3, "there was room from the start"
    assert sorted(told + user.track().titles) == much
    assert user.track().titles == []


def test_a_disk_that_is_full_when_a_report_is_to_be_told(nursery: Nursery, user: User, much: list[str]) -> None:
    """All is there, but the report needs room of its own: in the file before it is printed, and again after."""
    assert user.run("track", "--background").code == 0
    room, lives = pages(user.database), []
    while not lives or lives[-1].code == 2:
        lives.append(nursery.run(user, "track", "--from-cache", "--format", "json", pages=room))
        assert_whole(user.database)
        room += 1
    assert lives[-1].titles == much
    for life in lives[:-1]:
        assert "the disk is full" in life.err
        assert life.out == "" or life.titles == much, "printed, not recorded, and so told again"
    assert user.track().titles == []


def test_a_disk_that_is_full_before_there_is_a_database(
    nursery: Nursery, user: User, birds: list[ArtistHandle]
) -> None:
    done = nursery.run(user, "artists", "add", birds[0].id, pages=2)
    assert_refused(done, 2, "the disk is full")
    assert nursery.run(user, "artists", "add", birds[0].id).code == 0
    assert_whole(user.database)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_that_cannot_be_written_stops_no_run(user: User, learnt: list[ArtistHandle], news: list[str]) -> None:
    done = user.run("track", "--background", FRESHWAX_LOG_FILE="/dev/full")
    assert (done.code, done.out) == (0, "")
    assert done.err == "The log file '/dev/full' cannot be written: No space left on device. All else goes on.\n"
    assert user.track("--from-cache").titles == news


@pytest.mark.parametrize("command", [TRACK, ("track", "--background"), ("prefetch",), ("artists", "disable", "Tern")])
def test_a_database_that_may_only_be_read(
    command: tuple[str, ...],
    nursery: Nursery,
    user: User,
    server: DemoServer,
    learnt: list[ArtistHandle],
    news: list[str],
) -> None:
    assert_refused(nursery.run(user, *command, read_only=True), 2, "make the file and its folder writable")
    assert server.log == [], "nothing is asked that could not be kept"
    assert nursery.run(user, "artists", "list", read_only=True).code == 0
    assert_whole(user.database)
    if command[0] != "artists":
        assert user.track().titles == news


def test_a_slow_disk_makes_a_slow_run_and_no_other(
    nursery: Nursery, user: User, learnt: list[ArtistHandle], news: list[str]
) -> None:
    done = nursery.run(user, *TRACK, delay=0.02)
    assert (done.status, done.titles) == ((0, "completed"), news)
    assert done.took > 0.02 * len(done.moments) / 3, "it was slow"
    assert user.track().titles == []


# -- others at the database ------------------------------------------------------------------------------------------


def test_a_database_that_is_locked_for_a_while_is_waited_for(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    """Another program writes for a second, as a backup does, just when the run wants to."""
    with closing(sqlite3.connect(user.database, isolation_level=None, check_same_thread=False)) as other:

        def hold() -> None:
            other.execute("BEGIN IMMEDIATE")
            threading.Timer(1.0, other.execute, ["ROLLBACK"]).start()

        when_asked(server, 3, hold)
        done = user.track()
    assert (done.status, done.titles) == ((0, "completed"), news)


@pytest.mark.slow
def test_a_database_that_is_locked_for_good_in_mid_run_ends_it_and_the_next_one_goes_on(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    with closing(sqlite3.connect(user.database, isolation_level=None, check_same_thread=False)) as other:
        when_asked(server, 3, lambda: other.execute("BEGIN IMMEDIATE"))
        first = user.track(FRESHWAX_CONCURRENCY="1")
        assert_refused(first, 4, "locked by another program: wait until that has ended, then try again")
        assert user.run("artists", "list").code == 0, "readers do not wait"
        other.execute("ROLLBACK")
    assert_whole(user.database)
    second = user.track()
    assert (second.status, second.titles) == ((0, "completed"), news)
    assert second.coverage("fresh")[0] >= 1, "what was done stays done"


@pytest.mark.parametrize("released", [True, False], ids=["for a moment", "for good"])
def test_a_run_that_waits_for_a_locked_database_can_be_broken_off(
    released: bool, user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    """It does not wait out its patience: what it cannot commit is due again."""
    locked = threading.Event()
    with closing(sqlite3.connect(user.database, isolation_level=None, check_same_thread=False)) as other:

        def hold() -> None:
            other.execute("BEGIN IMMEDIATE")
            locked.set()

        when_asked(server, 3, hold)
        with user.start(*TRACK, FRESHWAX_CONCURRENCY="1") as process:
            assert locked.wait(20)
            process.send_signal(signal.SIGINT)
            if released:
                threading.Timer(0.2, other.execute, ["ROLLBACK"]).start()
            out, err = process.communicate(timeout=LESS_THAN_ITS_PATIENCE)
        first = Done(process.returncode, out, err)
        if released:
            assert first.status == (3, "paused")
        else:
            assert_refused(first, 4, "locked by another program")
            other.execute("ROLLBACK")
    assert_whole(user.database)
    second = user.track()
    assert second.status == (0, "completed")
    assert sorted((first.titles if released else []) + second.titles) == news


def test_of_runs_that_start_at_once_one_runs_and_the_others_name_it(
    user: User, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    arrived, release = threading.Event(), threading.Event()

    def hold() -> None:
        arrived.set()
        release.wait(60)

    fault = server.misbehave(Answered(hold), times=1)
    running = [user.start(*TRACK) for _ in range(4)]
    assert arrived.wait(30)
    until(lambda: sum(process.poll() is not None for process in running) == len(running) - 1)
    (winner,) = (process for process in running if process.poll() is None)
    release.set()
    done = ended(winner)
    server.repair(fault)
    assert (done.status, done.titles) == ((0, "completed"), news)
    for loser in (ended(process) for process in running if process is not winner):
        assert_refused(loser, 4, "another run is active on")
        told = re.search(r"started at (\d\d:\d\d) UTC on (\d{4}-\d\d-\d\d), process (\d+)", loser.err)
        assert told, loser.err
        assert int(told[3]) == winner.pid
        start = datetime.strptime(f"{told[2]} {told[1]}+0000", "%Y-%m-%d %H:%M%z")
        assert before <= start <= before + timedelta(minutes=2)
    assert user.track().titles == []


def test_a_run_does_not_wait_for_a_list_that_somebody_reads(
    user: User, world: WorldBuilder, server: DemoServer, learnt: list[ArtistHandle], news: list[str]
) -> None:
    """A pager holds the list back; so does a program that reads in one long transaction."""
    for number in range(9):
        learnt[number % 6].single(f"{number} " + "long " * 2_500, day(0), appears=at(1))
    server.api.world = world.build()
    assert len(user.track().titles) == len(news) + 9
    learnt[0].single("Later", day(0), appears=at(3))
    server.api.world = world.build()
    server.at = at(4)
    with (
        user.start("releases", "--format", "json") as reader,
        closing(sqlite3.connect(user.database, isolation_level=None)) as other,
    ):
        assert reader.stdout is not None
        beginning = os.read(reader.stdout.fileno(), 1).decode()
        other.execute("BEGIN")
        (seen,) = other.execute("SELECT count(*) FROM releases").fetchone()
        done = user.track("--force")
        assert (done.status, done.titles) == ((0, "completed"), ["Later"])
        assert other.execute("SELECT count(*) FROM releases").fetchone() == (seen,), "what it began to read"
        listed = json.loads(beginning + ended(reader).out)
    assert len(listed) == seen
    assert "Later" not in {one["title"] for one in listed}
