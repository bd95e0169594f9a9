"""What ``freshwax runs`` says of each run: how it ended, how much it saw, what it cost, what went wrong."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta

import pytest
from tests.e2e.user import NOW, Process, User, at, on, until

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Latency, Status
from freshwax.demo.server import DemoServer
from freshwax.model import Cost, Coverage, Mode, RunStatus
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def learnt(user: User, world: WorldBuilder, server: DemoServer, birds: list[ArtistHandle]) -> list[ArtistHandle]:
    user.learnt(world, server, birds)
    server.at = at(2)
    return birds


def rows(table: str) -> list[dict[str, str]]:
    """A table's rows by heading; headings stand apart by two spaces, and so do cells."""
    head, *body = table.splitlines()
    names = re.split(r"\s{2,}", head.strip())
    return [dict(zip(names, re.split(r"\s{2,}", line.strip()), strict=True)) for line in body]


def test_each_run_is_shown_with_its_status_coverage_cost_and_error(
    user: User, server: DemoServer, learnt: list[ArtistHandle]
) -> None:
    fault = server.misbehave(Status(500), artist=learnt[1].id)
    assert user.run("track").code == 3
    server.repair(fault)
    server.misbehave(Status(403, "Forbidden"))
    assert user.run("track", "--force").code == 3

    done = user.run("runs", "--format", "table")
    failed, partial, first = rows(done.out)

    assert [run["status"] for run in (failed, partial, first)] == ["failed", "partial", "completed"]
    assert [run["checked"] for run in (failed, partial, first)] == ["0/6", "5/6", "6/6"]
    assert [run["failed"] for run in (failed, partial, first)] == ["6", "1", "0"]
    assert all(re.fullmatch(r"\d+, \d+(\.\d)? s", run["cost"]) for run in (failed, partial, first))
    assert "Run 3: Every check of this run failed, the first: " in done.err
    assert "Run 2: 1 check failed" in done.err
    assert "Run 1" not in done.err


def test_the_largest_figures_fit_into_80_columns(user: User) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        for number in range(3):
            run = store.start_run(Mode.INCREMENTAL, "US", on(number - 3))
            store.finish_run(
                type(run)(
                    id=run.id,
                    mode=run.mode,
                    status=RunStatus.COMPLETED,
                    market="US",
                    started_at=run.started_at,
                    finished_at=NOW + timedelta(hours=1),
                    coverage=Coverage(artists=10_000, checked=10_000, failed=9_999),
                    cost=Cost(requests=10_005, seconds=1834.2),
                    found=1_000,
                )
            )
    done = user.run("runs", "--format", "table", COLUMNS="80")
    assert max(len(line) for line in done.out.splitlines()) <= 80
    assert "10,000/10,000" in done.out
    assert "10,005, 31 m" in done.out


def test_what_went_wrong_cannot_steer_the_terminal(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> None:
    server.misbehave(Status(403, "no\x1b[2J\nRun 1: all is well"))
    for done in (user.run("prefetch"), user.run("track"), user.run("runs", "--format", "table")):
        assert "all is well" in done.err
        assert "\x1b" not in done.out + done.err
        assert not re.search(r"^Run 1: all is well", done.err, re.MULTILINE)


def newest(user: User) -> dict[str, object]:
    """The newest run, as ``runs`` tells programs."""
    run = json.loads(user.run("runs", "--format", "json").out)[0]
    assert isinstance(run, dict)
    return run


def under_way(user: User) -> bool:
    with closing(sqlite3.connect(user.database)) as database:
        return bool(database.execute("SELECT 1 FROM run_history WHERE status = 'running'").fetchone())


@pytest.fixture
def hanging(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> Process:
    """A run that waits for the server."""
    server.misbehave(Latency(30), where="all")
    process = user.start("track", "--format", "json")
    until(lambda: under_way(user))
    return process


def test_a_run_that_is_under_way_has_no_exit_code(user: User, hanging: Process) -> None:
    with hanging:
        run = newest(user)
        shown = user.run("runs", "--format", "table")
        hanging.kill()
        hanging.communicate()
    assert (run["status"], run["exit_code"], run["error"]) == ("running", None, None)
    assert "running" in shown.out
    assert "Run 2" not in shown.err


def test_a_run_that_was_killed_is_not_under_way(user: User, server: DemoServer, hanging: Process) -> None:
    with hanging:
        hanging.kill()
        hanging.communicate()
    run = newest(user)
    assert (run["status"], run["exit_code"], run["finished_at"]) == ("failed", 1, None)
    assert run["error"] == "killed, or the machine went down; the next run goes on"
    assert "Run 2: killed, or the machine went down; the next run goes on." in user.run("runs", "--format", "table").err
    assert "killed, or the machine went down" in user.run("runs", "show", "2", "--format", "json").err
    looked = json.loads(user.run("doctor", "--offline", "--json").out)
    assert (looked["last_run"]["status"], looked["exit_code"]) == ("failed", 3)
    assert under_way(user), "and nobody who only looks has written anything"


def test_what_is_said_of_many_runs_in_a_row_is_said_once(user: User) -> None:
    errors = [None, "it rained", "it rained", "it rained", "it snowed", "it rained", None]
    with closing(SQLiteStore.open(user.database)) as store:
        for at_, error in enumerate(errors):
            run = store.start_run(Mode.INCREMENTAL, "US", on(at_ - 9))
            store.finish_run(
                type(run)(run.id, run.mode, RunStatus.FAILED, "US", run.started_at, on(at_ - 9), error=error)
            )
    said = user.run("runs", "--format", "table").err.splitlines()
    assert said == ["Run 6: it rained.", "Run 5: it snowed.", "Runs 2 to 4: it rained."]


def test_limit_0_shows_all(user: User) -> None:
    with closing(SQLiteStore.open(user.database)) as store:
        for number in range(25):
            store.finish_run(store.start_run(Mode.INCREMENTAL, "US", on(number - 30)))
    assert len(json.loads(user.run("runs", "--format", "json").out)) == 20
    assert len(json.loads(user.run("runs", "--limit", "0", "--format", "json").out)) == 25
    assert user.run("runs", "--limit", "-1").code == 2


# -- what is untold, while a run is under way ------------------------------------------------------------------------


@pytest.fixture
def halfway(user: User, server: DemoServer, learnt: list[ArtistHandle]) -> Process:
    """A run that has found half of what is new, and waits."""
    asked = threading.Semaphore(3)
    server.misbehave(Latency(30), when=lambda _: not asked.acquire(blocking=False))
    process = user.start("track", "--background", FRESHWAX_CONCURRENCY="1")
    until(lambda: len(server.requests) >= 3 and found(user))
    return process


def found(user: User) -> bool:
    with closing(sqlite3.connect(user.database)) as database:
        return bool(database.execute("SELECT 1 FROM outbox").fetchone())


def test_what_is_told_during_a_run_is_no_report_of_the_run_before(
    user: User, server: DemoServer, halfway: Process, news: list[str]
) -> None:
    with halfway:
        during = user.track("--from-cache")
        again = user.track("--from-cache")
        halfway.kill()
        halfway.communicate()
    assert during.status == (3, "running")
    assert during.report["run"]["id"] == 2
    assert 0 < len(during.titles) < len(news)
    assert "Run 2 is still under way" in during.err
    assert "artists checked" not in during.err
    assert (again.status, again.titles) == ((3, "running"), during.titles)
    assert "the last report again" in again.err
    assert again.err.count("Run 2 is still under way") == 1
    server.repair()
    assert sorted(during.titles + user.track().titles) == news


def test_what_is_told_after_a_kill_says_that_the_run_did_not_end(
    user: User, server: DemoServer, halfway: Process, news: list[str]
) -> None:
    with halfway:
        halfway.kill()
        halfway.communicate()
    after = user.track("--from-cache")
    assert after.code == 3
    assert 0 < len(after.titles) < len(news)
    assert "Run 2 was killed before it ended" in after.err
    server.repair()
    rest = user.track()
    assert (rest.status, sorted(after.titles + rest.titles)) == ((0, "completed"), news)
    assert user.track("--from-cache").code == 0


def test_a_report_that_was_told_during_a_run_is_repeated_with_what_became_of_it(
    user: User, server: DemoServer, halfway: Process, news: list[str]
) -> None:
    with halfway:
        during = user.track("--from-cache")
        halfway.kill()
        halfway.communicate()
    again = user.track("--from-cache")
    assert (again.code, again.titles) == (3, during.titles)
    assert again.err.count("Run 2 was killed before it ended") == 1
    assert "under way" not in again.err
