"""A damaged database: what was told is not told again, and what waits still waits."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.damage_words import ARTISTS, PAGE, assert_sound, counts, pages_of, raw, spoil
from tests.contract.store_words import NOW, at, release, save, start, told
from tests.simulation import Simulation, a_world, day

from freshwax.model import Ref
from freshwax.store.repair import repair
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def path(tmp_path: Path, model: bytes) -> Path:
    """That database."""
    path = tmp_path / "f.db"
    path.write_bytes(model)
    return path


def spoil_two(path: Path, table: str) -> None:
    """Spoil two leaves of a table that are not its ends."""
    for page in pages_of(path, table)[1:3]:
        spoil(path, page)


def channel_of(path: Path) -> tuple[set[str], set[str], set[str]]:
    """The IDs that wait in the outbox, those that are told from it, and those that a told report lists."""
    with closing(SQLiteStore.open(path)) as store:
        told_of = {line.release.ref.id for line in store.last_report("stdout").lines}  # type: ignore[union-attr]
        untold = {one.release.ref.id for one in store.untold("stdout")}
    with raw(path) as connection:
        query = "SELECT r.source_id FROM outbox o JOIN releases r ON r.id = o.release_id"
        return {row[0] for row in connection.execute(query)}, untold, told_of


def test_a_release_of_which_an_index_still_speaks_is_not_told_again(path: Path) -> None:
    waiting, untold, over = channel_of(path)
    before = counts(path)
    spoil_two(path, "releases")
    done = repair(path, NOW)

    [hit] = [one for one in done.saved if not one.whole]
    assert (hit.table, hit.rows + hit.named) == ("releases", before["releases"])
    assert hit.named > 30
    assert (done.lost, done.whole, counts(path)) == ({}, False, before)
    assert channel_of(path) == (waiting, untold, over)
    with closing(SQLiteStore.open(path)) as store:
        run = start(store, at(4))
        artist, lost = next(
            (a, one.release)
            for a in ARTISTS
            for one in store.follow(a).known.values()
            if one.release.title == "(title lost)"
        )
        assert not lost.forgotten
        save(store, artist, changed=(release(lost.ref.id),), run=run.id)
        assert store.follow(artist).known[lost.ref.id].release == release(lost.ref.id)
        for name in sorted(over):
            save(store, Ref("spotify", name[:10]), told(release(name)), run=run.id)
        assert {one.release.ref.id for one in store.untold("stdout")} == untold
    assert_sound(path)


def test_what_lies_between_two_spoilt_pages_of_an_index_is_found_there_too(path: Path) -> None:
    before = counts(path)
    index, table = pages_of(path, "sqlite_autoindex_releases_1"), pages_of(path, "releases")
    for page in (index[1], index[-2]):
        spoil(path, page)
    spoil(path, table[len(table) // 4])  # of artists in the middle
    done = repair(path, NOW)

    [hit] = [one for one in done.saved if one.table == "releases"]
    assert hit.rows < before["releases"]
    assert hit.rows + hit.named == before["releases"] == counts(path)["releases"]
    assert_sound(path)


def test_what_waits_is_told_even_where_only_its_id_was_saved(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        before = {one.release.ref: one.release for one in store.untold("stdout")}
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in pages_of(path, "releases")[-3:-1]:
        spoil(path, page)
    repair(path, NOW)

    with closing(SQLiteStore.open(path)) as store:
        found = {one.release.ref: one.release for one in store.untold("stdout")}
    assert found.keys() == before.keys()
    untitled = [one for one in found.values() if one.title == "(title lost)"]
    assert untitled
    for one in untitled:
        was = before[one.ref]
        assert (one.date, one.url, one.type, one.forgotten) == (was.date, was.url, was.type, False)
        assert [credit.id for credit in one.artists] == [one.ref.id[:10]]


def test_an_artist_of_whom_an_index_still_speaks_is_still_followed(path: Path) -> None:
    before = counts(path)
    channel = channel_of(path)
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in pages_of(path, "artists"):
        spoil(path, page)
    done = repair(path, NOW)

    assert (done.lost, done.whole, counts(path)) == ({}, False, before)
    assert channel_of(path) == channel
    with closing(SQLiteStore.open(path)) as store:
        assert [artist.ref for artist in store.artists()] == ARTISTS
        assert all(store.follow(artist).marks for artist in ARTISTS)
    assert_sound(path)


@pytest.mark.parametrize("also", [(), ("outbox",), ("outbox", "decisions")])
def test_what_a_report_says_was_told_is_not_told_again(path: Path, also: tuple[str, ...]) -> None:
    before = counts(path)
    _, _, over = channel_of(path)
    for table in ("told", *also):
        spoil_two(path, table)
    done = repair(path, NOW)

    assert done.mended["lines told"] > 30
    assert counts(path)["told"] == before["told"]
    waiting, untold, again = channel_of(path)
    assert again == over
    assert not waiting & over
    assert waiting == untold


def test_what_waits_is_told_though_its_decision_was_lost(path: Path) -> None:
    channel = channel_of(path)
    spoil_two(path, "decisions")
    done = repair(path, NOW)

    assert done.mended["decisions"] > 10
    assert channel_of(path) == channel
    assert_sound(path)


def test_rows_between_two_spoilt_pages_are_saved_though_they_share_the_first_value_of_their_key(path: Path) -> None:
    prolific = ARTISTS[20]
    with closing(SQLiteStore.open(path)) as store:
        run = start(store, at(2))
        save(store, prolific, *[told(release(f"much-{n}", title=f"much {n}" * 9)) for n in range(400)], run=run.id)
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (key,) = connection.execute("SELECT id FROM artists WHERE source_id = ?", (prolific.id,)).fetchone()
        before = connection.execute("SELECT count(*) FROM decisions WHERE artist_id = ?", (key,)).fetchone()[0]
    pages = pages_of(path, "decisions")
    leaves = [number for number, page in enumerate(pages) if b"much 50much" in page_of(path, page)]
    ends = [number for number, page in enumerate(pages) if b"much 350much" in page_of(path, page)]
    assert ends[0] - leaves[0] > 5
    for number in (leaves[0], ends[0]):
        spoil(path, pages[number])
    done = repair(path, NOW)

    [hit] = [one for one in done.saved if not one.whole]
    assert hit.table == "decisions"
    assert before - 90 < hit.rows - 16 * (len(ARTISTS) - 1) < before
    assert_sound(path)


def page_of(path: Path, page: int) -> bytes:
    return path.read_bytes()[(page - 1) * PAGE : page * PAGE]


@pytest.mark.parametrize("tables", [("marks",), ("marks", "decisions")])
def test_who_lost_the_watermark_is_learnt_anew(tmp_path: Path, tables: tuple[str, ...]) -> None:
    world, nightjar = a_world()
    for number in range(30):
        nightjar.single(f"Old {number}", day(-400 - number))
    nightjar.single("Recent", day(2))
    nightjar.single("Later", day(9))
    user = Simulation(world.build(), 10, store=SQLiteStore.open(tmp_path / "f.db"))
    user.follow(nightjar.id)
    assert [user.check(0), user.check()] == [[], [("Recent", "new")]]
    user.store.close()
    with raw(tmp_path / "f.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for table in tables:
        for page in pages_of(tmp_path / "f.db", table):
            spoil(tmp_path / "f.db", page)
    repair(tmp_path / "f.db", user.clock.now())

    user.store = SQLiteStore.open(tmp_path / "f.db")
    assert [title for title, _ in user.check() if title != "Recent"] == ["Later"]
