"""What a replaced database had told stays told after a restore: by ID, and by the keys of twins and editions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.contract.store_words import NOW, A, B, at, release, report, save, silent, start, titles, told
from tests.fixtures import keep_schema

from freshwax.model import ArtistState, LaterKeys, Ref, Silence
from freshwax.store.backup import back_up, flaws, restore
from freshwax.store.sqlite import SQLiteStore


def tell(path: Path, artist: Ref, *names: str) -> None:
    """A run that finds these for an artist, and tells them."""
    with closing(SQLiteStore.open(path)) as store:
        run = start(store, at(1))
        save(store, artist, *(told(release(name)) for name in names), run=run.id)
        store.tell(report(store, run).id, at(1))


def known_by_key(path: Path, *names: str) -> list[str]:
    """What a check would find announced under the keys of these."""
    with closing(SQLiteStore.open(path)) as store:
        assert flaws(path) == []
        with store.write() as tx:
            return titles(tx.announced([], [f"key of Title of {name}" for name in names]))


def test_a_backup_from_before_the_first_run_learns_what_was_told(tmp_path: Path) -> None:
    path, copy = tmp_path / "f.db", tmp_path / "copy.bak"
    with closing(SQLiteStore.open(path)) as store:
        store.watch([(A, None)], NOW)
    back_up(path, copy, NOW)
    tell(path, A, "one")

    assert restore(path, copy, at(2)).remembered
    assert known_by_key(path, "one") == ["one"]
    with closing(SQLiteStore.open(path)) as store:
        assert set(store.follow(A).known) == {"one"}
        assert not store.follow(A).marks
        assert store.untold("stdout") == []
    assert restore(path, copy, at(3)).remembered
    assert known_by_key(path, "one") == ["one"]


def test_what_was_told_of_an_artist_who_came_after_the_backup_stays_told(tmp_path: Path) -> None:
    path, copy = tmp_path / "f.db", tmp_path / "copy.bak"
    tell(path, A, "one")
    back_up(path, copy, NOW)
    with closing(SQLiteStore.open(path)) as store:
        store.watch([(B, "Bee")], NOW)
    tell(path, B, "two")

    assert restore(path, copy, at(2)).remembered
    assert known_by_key(path, "one", "two") == ["one", "two"]
    with closing(SQLiteStore.open(path)) as store:
        assert [artist.ref for artist in store.artists()] == [A], "who was not followed then is not now"
        assert store.watch([(B, None)], at(3)).added == (B,)
        found = store.follow(B)
        assert (found.artist.state, found.artist.name, found.artist.learnt) == (ArtistState.ACTIVE, "Bee", False)


def test_what_was_held_when_it_was_backed_up_and_told_since_stays_told(tmp_path: Path) -> None:
    path, copy = tmp_path / "f.db", tmp_path / "copy.bak"
    with closing(SQLiteStore.open(path)) as store:
        save(store, A, silent(release("one"), Silence.HELD), silent(release("two"), Silence.HELD))
    back_up(path, copy, NOW)
    tell(path, A, "one")

    assert restore(path, copy, at(2)).remembered
    assert known_by_key(path, "one", "two") == ["one"]
    with closing(SQLiteStore.open(path)) as store:
        assert [titles(held) for _, held in store.held()] == [["two"]]


def test_the_titles_that_what_was_told_got_since_are_known(tmp_path: Path) -> None:
    path, copy = tmp_path / "f.db", tmp_path / "copy.bak"
    tell(path, A, "one")
    back_up(path, copy, NOW)
    tell(path, A, "two")
    later = tuple(LaterKeys(Ref("spotify", name), f"later key of {name}", "") for name in ("one", "two"))
    with closing(SQLiteStore.open(path)) as store:
        save(store, A, rekeyed=later)

    assert restore(path, copy, at(2)).remembered
    with closing(SQLiteStore.open(path)) as store, store.write() as tx:
        assert titles(tx.announced([], [one.key for one in later])) == ["one", "two"]


def test_a_backup_of_an_older_schema_learns_what_was_told(tmp_path: Path) -> None:
    path, copy = tmp_path / "f.db", tmp_path / "copy.bak"
    for oldest in keep_schema.FOLDER.glob("schema_v1.sql"):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(oldest.read_text(encoding="utf-8"))
    back_up(path, copy, NOW)
    tell(path, A, "one")
    before = copy.read_bytes()

    assert restore(path, copy, at(2)).remembered
    assert known_by_key(path, "one") == ["one"]
    assert copy.read_bytes() == before
    assert not list(tmp_path.glob(".*"))
