"""Databases that earlier releases wrote: opened, brought up to date, and nothing in them lost or told again."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.fixtures import keep_schema

from freshwax.clock import SimulatedClock
from freshwax.demo.server import DemoServer
from freshwax.demo.trial import Trial
from freshwax.model import ArtistState, Kind, Mark, Report
from freshwax.store import migrate
from freshwax.store.backup import flaws
from freshwax.store.sqlite import SQLiteStore

FIXTURES = {int(path.stem.removeprefix("schema_v")): path for path in keep_schema.FOLDER.glob("schema_v*.sql")}
LATEST = max(migrate.migrations())
EVERYTHING = {
    "artists": "SELECT source_id, name, state, added_at, attempted_at, failures, failure, learnt FROM artists",
    "marks": (
        "SELECT artist_id, listing_group, market, first_checked_at, checked_at, horizon, read_to_end_at, deep_cursor,"
        " deep_wanted FROM marks"
    ),
    "releases": "SELECT source_id, title, type, release_date, date_precision, first_seen_at FROM releases",
    "decisions": (
        "SELECT a.source_id, r.source_id, d.kind, d.silence, d.decided_at, d.key, d.marks, o.source_id, t.source_id"
        " FROM decisions d JOIN artists a ON a.id = d.artist_id JOIN releases r ON r.id = d.release_id"
        " LEFT JOIN releases o ON o.id = d.of_id LEFT JOIN releases t ON t.id = d.announced_id"
    ),
    "outbox": "SELECT channel, source_id, kind, told_upcoming_at FROM outbox JOIN releases r ON r.id = release_id",
    "told": "SELECT source_id, channel, report_id, kind FROM told JOIN releases r ON r.id = release_id",
    "reports": "SELECT id, channel, mode, run_id, notes, told_at FROM reports",
    "report lines": (
        "SELECT report_id, position, source_id, kind, hidden_by FROM report_lines JOIN releases r ON r.id = release_id"
    ),
    "history": "SELECT source_id, at, field, before, after FROM history JOIN releases r ON r.id = release_id",
    "runs": "SELECT id, mode, status, started_at, requests, error FROM run_history",
    "requests": "SELECT source, bucket, at, status FROM requests",
    "cooldowns": "SELECT source, until, reason FROM cooldowns",
    "settings": "SELECT name, value FROM settings",
}


@pytest.fixture(params=sorted(FIXTURES))
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database of an earlier schema."""
    path = tmp_path / "f.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIXTURES[request.param].read_text(encoding="utf-8"))
        connection.execute("INSERT INTO history VALUES (1, 2, 3, 'title', 'As it was called', 'As it is called')")
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {name: sorted(connection.execute(query), key=repr) for name, query in EVERYTHING.items()}


def titles(report: Report) -> list[str]:
    return sorted(line.release.title for line in report.lines)


def test_there_is_a_database_of_every_schema_that_a_migration_starts_from() -> None:
    missing = set(range(1, LATEST)) - FIXTURES.keys()

    assert not missing, f"write schema_v{missing} with tests/fixtures/keep_schema.py, run by the release before"


@pytest.mark.parametrize("version", sorted(FIXTURES))
def test_the_fixtures_hold_what_can_be_lost(version: int) -> None:
    text = FIXTURES[version].read_text(encoding="utf-8")

    assert f"PRAGMA user_version = {version};" in text
    assert set(re.findall("'(active|removed|disabled|gone)'", text)) == set(ArtistState)
    assert {"'upcoming'", "'held'", "'twin'", "'edition'", "'late'", "'not_found'", "'bad_data'"} <= set(
        re.findall(r"'\w+'", text)
    )


def test_an_old_database_is_copied_and_brought_up_to_date_with_everything_in_it(path: Path) -> None:
    before = contents(path)
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()

    with closing(SQLiteStore.open(path)) as store:
        assert flaws(path) == []
        assert {artist.name for artist in store.artists()} == set(keep_schema.NAMES) - {"Wren"}

    assert contents(path) == before
    copy = path.with_name(f"{path.name}.before-v{LATEST}.bak")
    assert copy.exists() == (version < LATEST)
    if version < LATEST:
        assert contents(copy) == before


def test_the_facts_of_releases_are_those_that_this_release_would_have_kept(path: Path, tmp_path: Path) -> None:
    keep_schema.write(tmp_path / "new.db")
    with closing(SQLiteStore.open(path)) as old, closing(SQLiteStore.open(tmp_path / "new.db")) as new:
        kept = {seen.release.ref: seen.release for seen in old.releases()}
        fresh = {seen.release.ref: seen.release for seen in new.releases()}
    known = kept.keys() & fresh.keys()  # what a prefetch picked differs from release to release
    assert len(known) > 70
    assert {ref: kept[ref] for ref in known} == {ref: fresh[ref] for ref in known}


def test_the_next_run_tells_what_was_not_told_and_only_that(path: Path) -> None:
    world = keep_schema.world()
    with closing(SQLiteStore.open(path)) as store, DemoServer(world, keep_schema.NEXT) as server:
        waiting = {one.release.title for one in store.untold("stdout") if not one.told_upcoming}
        trial = Trial(world, server, store, SimulatedClock(keep_schema.NEXT))
        run, report = trial.track(keep_schema.NEXT)

        assert titles(report) == [
            "Announced, out before the upgrade's run",
            "Found and not told",
            "Found by a prefetch",
            "Found for two and not told",
            "Late and not told",
            "Out since the last run",
            "Out while its checks failed",
            "Told in the second run (Deluxe)",
        ]
        assert waiting < set(titles(report))
        kinds = {line.release.title: line.kind for line in report.lines}
        assert kinds["Announced, out before the upgrade's run"] is Kind.NEW
        assert kinds["Late and not told"] is Kind.LATE
        assert (run.coverage.artists, run.coverage.checked + run.coverage.fresh, run.exit_code) == (4, 4, 0)
        [(held, flood)] = store.held()
        assert (held.name, len(flood)) == ("Knot", 40)

        _, again = trial.track(keep_schema.NEXT)
        assert titles(again) == []
        assert [one.release.title for one in store.untold("stdout")] == ["Announced, out later"]


def test_whoever_is_enabled_after_the_upgrade_is_asked_for_the_gap(path: Path) -> None:
    world = keep_schema.world()
    with closing(SQLiteStore.open(path)) as store, DemoServer(world, keep_schema.NEXT) as server:
        trial = Trial(world, server, store, SimulatedClock(keep_schema.NEXT))
        trial.track(keep_schema.NEXT)
        disabled = [artist.ref for artist in store.artists({ArtistState.DISABLED})]
        for one in disabled:
            store.set_state(one, ArtistState.ACTIVE)
        _, report = trial.track(keep_schema.NEXT)

        assert titles(report) == ["Out while disabled"]


def test_turns_that_a_prefetch_answered_are_kept(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()

    with closing(SQLiteStore.open(path)) as store:
        marks: list[Mark] = [mark for artist in store.artists() for mark in store.follow(artist.ref).marks.values()]
    prefetched = [mark for mark in marks if mark.turn_at is not None and mark.turn_at < mark.checked_at]
    assert bool(prefetched) == (version > 1)
