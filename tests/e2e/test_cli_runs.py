"""What ``freshwax runs`` says of each run: how it ended, how much it saw, what it cost, what went wrong."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta

import pytest
from tests.e2e.user import NOW, User, at, on

from freshwax.demo.builder import ArtistHandle, WorldBuilder
from freshwax.demo.faults import Status
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
