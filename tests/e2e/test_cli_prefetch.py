"""``freshwax prefetch``: found ahead, told once by the next run, which asks nobody twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tests.e2e.user import NOW, User, at, day

from freshwax.cli.prefetch import deadline
from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.server import DemoServer
from freshwax.errors import Paused


def test_what_a_prefetch_finds_the_next_run_tells_once_without_asking_again(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.learnt(world, server, birds)
    server.at = at(2)
    ahead = user.run("prefetch", "--budget", "100")
    assert ahead.code == 0, ahead.err
    assert ahead.out == ""
    assert "checked ahead" in ahead.err
    asked = len([entry for entry in server.log if entry.what == "albums"])
    assert asked > 0
    server.log.clear()
    life = user.track()
    assert life.titles, "told by the run after it"
    coverage = life.report["coverage"]
    assert coverage["fresh"] > 0
    assert coverage["fresh"] + coverage["checked"] == coverage["artists"]
    assert len([entry for entry in server.log if entry.what == "albums"]) < asked + coverage["checked"] * 2
    assert user.track().titles == []
    runs = user.run("runs", "--format", "table")
    assert f"A prefetch answered for {coverage['fresh']} artists ahead: it took {asked} requests and" in runs.err
    assert runs.code == 0


def test_a_prefetch_decides_by_the_look_back_of_the_settings(
    user: User, world: WorldBuilder, birds: list[ArtistHandle]
) -> None:
    birds[0].single("Late Bird", day(-200), appears=at(1))
    year = {"FRESHWAX_LOOKBACK": "365"}
    with DemoServer(world.build(), NOW) as server:
        user.knows(server)
        user.learnt(world, server, birds)
        server.at = at(2)
        assert user.run("prefetch", "--budget", "50", **year).code == 0
        told = user.track(**year).kinds

    assert told["Late Bird"] == "late", "as without the prefetch"


NO_TIMES = (
    "soon", "25:00", "18Z", "18", "18:00Z", "2026-03-08", "2026-02-30T10:00Z", "0001-01-01T00:00+23:00",
    "9999-12-31T23:59-23:00",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(user: User, text: str) -> None:
    done = user.run("prefetch", "--before", text)
    assert (done.code, done.out) == (2, "")
    assert f"--before {text!r} is no time: write 18:00" in " ".join(done.err.split())


def test_a_job_that_comes_too_late_asks_nothing(user: User, server: DemoServer) -> None:
    done = user.run("prefetch", "--before", "2020-01-01T10:00Z")
    assert (done.code, done.out) == (3, "")
    assert done.err == "freshwax: --before 2020-01-01T10:00Z has passed: nothing was asked.\n"
    assert server.log == []


def test_until_when_checks_could_begin_is_told(
    user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.learnt(world, server, birds)
    done = user.run("prefetch", "--before", "2190-01-02T10:00+02:00")
    assert done.code == 0
    assert "Checks could begin until 08:00 UTC on 2 January 2190." in done.err


def test_without_a_database_none_is_made(user: User, tmp_path: Path) -> None:
    done = user.run("--database", str(tmp_path / "none.db"), "prefetch")
    assert (done.code, done.out) == (2, "")
    assert "no database at" in done.err
    assert not list(tmp_path.glob("none.db*"))


@pytest.fixture
def berlin() -> Iterator[None]:
    """A machine in Berlin."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


# In 2026 Berlin's clocks went forward on 29 March and back on 25 October, in the night to Sunday.
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows keeps its zone to itself")
@pytest.mark.parametrize(
    ("now", "text", "until"),
    [
        ("2026-03-27T21:00Z", "06:00", "2026-03-28T05:00Z"),
        ("2026-03-28T21:00Z", "06:00", "2026-03-29T04:00Z"),
        ("2026-10-24T20:00Z", "06:00", "2026-10-25T05:00Z"),
        ("2026-07-01T10:00Z", "18:05", "2026-07-01T16:05Z"),
        ("2026-07-01T16:10Z", "18:05", None),
        ("2026-06-30T22:10Z", "23:55", None),
        ("2026-07-01T10:00Z", "2026-07-01T18:05", "2026-07-01T16:05Z"),
        ("2026-07-01T10:00Z", "2026-07-01 18:05-01:00", "2026-07-01T19:05Z"),
        ("2026-07-01T10:00Z", "2026-07-01T10:00Z", None),
    ],
)
def test_a_time_of_day_is_what_the_clock_on_the_wall_says(berlin: None, now: str, text: str, until: str | None) -> None:
    if until is None:
        with pytest.raises(Paused, match="has passed: nothing was asked"):
            deadline(text, datetime.fromisoformat(now))
    else:
        assert deadline(text, datetime.fromisoformat(now)) == datetime.fromisoformat(until)


def test_a_list_that_was_never_checked_is_left_to_the_run_and_said_to_be(
    user: User, server: DemoServer, birds: list[ArtistHandle]
) -> None:
    user.follow(birds)
    ahead = user.run("prefetch")
    assert (ahead.code, len(server.log)) == (0, 0)
    assert "No artist was checked ahead. 6 artists wait for a first check: `freshwax track` asks them." in ahead.err
    cached = user.run("track", "--from-cache")
    assert (cached.code, cached.out) == (2, "")
    assert "no run but prefetches yet, which check for a later run" in cached.err
