"""kill -9 at any moment, then another run: nothing lost, nothing repeated, the database whole.

One repetition is allowed: a run that was killed between its report's last byte and the record of it tells it again.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.user import KILLED, Answered, Done, Life, Nursery, User, at, day, ended

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no SIGKILL, and no fork, on this platform")


def copied(user: User, number: int) -> User:
    """A user with a copy of another's database."""
    folder = user.folder / str(number)
    folder.mkdir()
    if user.database.exists():
        shutil.copy(user.database, folder / user.database.name)
    return replace(user, folder=folder)


def assert_whole(database: Path) -> None:
    """The file is sound, and so are its references."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def told(*lives: Done) -> list[str]:
    """Every title that reached standard output, as often as it did."""
    return sorted(title for life in lives if life.out for title in life.titles)


TRACK = ("track", "--format", "json")


def die_and_run_again(nursery: Nursery, user: User, kill: int, expected: list[str]) -> bool:
    """Die at a moment and run again: everything told, once. Return whether it was told again, in the one window."""
    first = nursery.run(user, *TRACK, kill=kill)
    assert first.code == KILLED
    if user.database.exists():
        assert_whole(user.database)
    second = nursery.run(user, *TRACK)
    assert second.status == (0, "completed"), (kill, second.err)
    again = first.printed and not first.recorded
    if again:
        assert first.titles == second.titles == expected
    else:
        assert told(first, second) == expected, kill
    assert_whole(user.database)
    assert nursery.run(user, *TRACK).titles == []
    return again


def test_killed_around_every_commit_of_a_run(
    nursery: Nursery, user: User, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    user.env["FRESHWAX_CONCURRENCY"] = "1"
    rehearsal = nursery.run(copied(user, -1), *TRACK)
    assert rehearsal.titles == news
    moments = rehearsal.moments
    commits = [number for number, moment in enumerate(moments) if moment == "COMMIT"]
    assert len(commits) > 2 * len(birds)
    around = {n for commit in commits for n in (commit, commit + 1) if n < len(moments)}
    around |= {number for number, moment in enumerate(moments) if moment in {"print", "printed"}}
    again = {n for n in sorted(around) if die_and_run_again(nursery, copied(user, n), n, news)}
    # Told again only from the moment after the flush to the commit that records it.
    window = range(moments.index("printed"), commits[-1] + 1)
    assert again == around & set(window)
    assert again


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments_of_a_run(
    seed: int,
    nursery: Nursery,
    user: User,
    world: WorldBuilder,
    birds: list[ArtistHandle],
    server: DemoServer,
    news: list[str],
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    moments = nursery.run(copied(user, -1), *TRACK).moments
    rng = random.Random(seed)
    # With eight checks at once the moments come in another order each time; the last ones may not come at all.
    points = sorted(rng.sample(range(len(moments) - 10), 18))
    for point in points:
        die_and_run_again(nursery, copied(user, point), point, news)


def test_killed_at_random_moments_of_a_first_run(
    nursery: Nursery, user: User, world: WorldBuilder, server: DemoServer, tmp_path: Path
) -> None:
    artists = [world.artist(f"Wader {number}") for number in range(5)]
    for artist in artists:
        for number in range(12):
            artist.album(f"{artist.name} album {number}", day(-300 - 10 * number))
        artist.single(f"{artist.name} now", day(-2))
    expected = sorted(f"{artist.name} now" for artist in artists)
    server.api.world = world.build()
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(artist.id for artist in artists))
    command = (*TRACK, listed)
    moments = nursery.run(copied(user, -1), *command).moments
    for point in sorted(random.Random(7).sample(range(len(moments) - 10), 20)):
        other = copied(user, point)
        first = nursery.run(other, *command, kill=point)
        assert first.code == KILLED
        second = nursery.run(other, *command)
        assert second.status == (0, "completed"), (point, second.err)
        assert told(*([second] if first.printed and not first.recorded else [first, second])) == expected
        assert_whole(other.database)


def test_killed_over_and_over_a_run_still_gets_there(
    nursery: Nursery, user: User, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    rng = random.Random(3)
    lives = []
    while not lives or lives[-1].code == KILLED:
        lives.append(nursery.run(user, *TRACK, kill=rng.randrange(20, 320)))
        assert len(lives) < 30, "no progress"
    assert len(lives) > 2
    assert lives[-1].status == (0, "completed")
    assert told(*(life for life in lives if life.recorded)) == news
    assert lives[-1].coverage("checked", "fresh", "not_due")[0] < len(birds), "done artists stay done"
    _, *before, _ = json.loads(user.run("runs", "--format", "json").out)
    # Killed before its end a run is failed; killed later it is as complete as it was: only its report was not told.
    assert [run["status"] for run in before] == ["completed" if run["finished_at"] else "failed" for run in before]
    assert "failed" in {run["status"] for run in before}
    assert_whole(user.database)


def test_killed_while_the_report_goes_into_a_file(
    nursery: Nursery, user: User, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    user.env["FRESHWAX_CONCURRENCY"] = "1"  # each life does the same, moment by moment

    def tracked(whose: User, kill: int | None = None) -> tuple[Life, str]:
        target = whose.folder / "report.json"
        life = nursery.run(whose, *TRACK, "--output", target, kill=kill)
        return life, target.read_text() if target.exists() else ""

    moments = tracked(copied(user, -1))[0].moments
    moved = moments.index("rename")
    for point in range(moved - 2, len(moments)):
        whose = copied(user, point)
        (whose.folder / "report.json").write_text("the old report")
        first, there = tracked(whose, point)
        assert first.code == KILLED
        if there == "the old report":
            assert point <= moved
        else:
            assert Done(0, there, "").titles == news, "a file is whole or not there"
        second, after = tracked(whose)
        recorded = "COMMIT" in first.moments[moved:-1]
        assert Done(0, after, "").titles == ([] if recorded else news), "in the file that is there now, or before"
        assert second.code == 0
        assert sorted(path.name for path in whose.folder.glob("*.json")) == ["report.json"]


def test_killed_while_the_database_is_made(nursery: Nursery, user: User, birds: list[ArtistHandle]) -> None:
    add = ("artists", "add", *(artist.id for artist in birds))
    moments = nursery.run(copied(user, -1), *add).moments
    commits = {number for number, moment in enumerate(moments) if moment == "COMMIT"}
    around = commits | {number + 1 for number in commits if number + 1 < len(moments)}
    for point in sorted(around | set(random.Random(5).sample(range(len(moments)), 10))):
        other = copied(user, point)
        assert nursery.run(other, *add, kill=point).code == KILLED
        assert nursery.run(other, *add).code == 0
        assert_whole(other.database)
        listed = json.loads(nursery.run(other, "artists", "list", "--format", "json").out)
        assert {one["id"] for one in listed} == {artist.id for artist in birds}
        assert not list(other.folder.glob("*.bak*"))


@pytest.mark.parametrize("nth", [1, 4, 6])
def test_killed_when_the_server_has_answered_so_many_requests(
    nth: int, user: User, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    running: list[subprocess.Popen[str]] = []
    started = threading.Event()

    def kill() -> None:
        if len(server.requests) + 1 == nth:
            started.wait()
            os.kill(running[0].pid, signal.SIGKILL)

    fault = server.misbehave(Answered(kill))
    with user.start(*TRACK) as process:
        running.append(process)
        started.set()
        first = ended(process)
    server.repair(fault)
    assert (first.code, first.out) == (KILLED, "")
    assert_whole(user.database)
    second = user.track()
    assert (second.status, second.titles) == ((0, "completed"), news)
    assert second.coverage("checked", "fresh") == (
        len(birds) - second.coverage("fresh")[0],
        second.coverage("fresh")[0],
    )


def test_a_full_disk_ends_a_run_with_a_sentence_and_the_next_one_goes_on(
    nursery: Nursery, user: User, world: WorldBuilder, birds: list[ArtistHandle], server: DemoServer, news: list[str]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    sizes = range(user.database.stat().st_size // 2, user.database.stat().st_size * 2, 20_000)
    ends = set()
    for number, size in enumerate(sizes):
        other = copied(user, number)
        first = nursery.run(other, *TRACK, largest_file=size)
        ends.add(first.code)
        if first.code != 0:
            assert (first.code, first.out) == (2, "")
            assert len(first.err.splitlines()) == 1, first.err
            assert "disk" in first.err
        assert_whole(other.database)
        second = nursery.run(other, *TRACK)
        assert second.status == (0, "completed")
        assert told(first, second) == news
    assert 2 in ends
