"""A database whose list of tables, or an index, is spoilt in a word: called damaged by everybody, and mended."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.damage_words import ARTISTS, PAGE, assert_sound, counts, fill, pages_of, raw
from tests.contract.store_words import NOW

from freshwax.errors import StoreDamaged, StoreError
from freshwax.model import Ref
from freshwax.store.backup import back_up, restore, soundness
from freshwax.store.known_backups import newest_good
from freshwax.store.repair import repair
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which the high bit of a letter flipped where the schema names an index: it is no text any more."""
    path = tmp_path / "f.db"
    fill(path)
    spoil_word(path, b"reports_by_run")
    return path


def spoil_word(path: Path, word: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(word) + 3] ^= 0x80
    path.write_bytes(data)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_schema_that_is_no_text_is_damage(path: Path, read_only: bool) -> None:
    with pytest.raises(StoreDamaged, match=r"is damaged: restore .* doctor --repair"):
        SQLiteStore.open(path, read_only=read_only)


def test_it_is_damage_to_those_who_look_or_copy_too(path: Path) -> None:
    assert soundness(path).problems
    with pytest.raises(StoreDamaged, match="is damaged"):
        back_up(path, path.with_name("b.bak"), NOW)
    with pytest.raises(StoreError, match=r"f\.db is damaged .*give another backup"):
        restore(path.with_name("other.db"), path, NOW)


def test_it_is_no_good_backup(path: Path) -> None:
    path.rename(path.with_name("g.db.before-v9.bak"))
    assert newest_good(path.with_name("g.db")) is None


def test_a_backup_takes_its_place(path: Path) -> None:
    backup = path.with_name("b.bak")
    fill(backup)
    restore(path, backup, NOW)

    assert_sound(path)


def test_it_is_mended_without_a_loss(path: Path) -> None:
    sound = path.with_name("sound.db")
    fill(sound)
    done = repair(path, NOW)

    assert (done.whole, done.lost, counts(path)) == (True, {}, counts(sound))
    assert_sound(path)


@pytest.mark.parametrize("word", [b"CREATE INDEX decisions_held", b"CREATE TABLE decisions", b"CREATE TABLE told"])
def test_a_statement_of_the_schema_that_cannot_be_read_costs_no_row(tmp_path: Path, word: bytes) -> None:
    path = tmp_path / "f.db"
    fill(path)
    before = counts(path)
    spoil_word(path, word)
    with pytest.raises(StoreDamaged):
        SQLiteStore.open(path)
    done = repair(path, NOW)

    assert (done.whole, done.lost, counts(path)) == (True, {}, before)
    with raw(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with closing(SQLiteStore.open(path)) as store:
        assert len(store.last_report("stdout").lines) == before["told"]  # type: ignore[union-attr]


def test_a_column_of_another_name_is_damage_too_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    fill(path)
    before = counts(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"total_tracks ", b"total_uracks ", 1))
    assert soundness(path).problems
    with pytest.raises(StoreDamaged), closing(SQLiteStore.open(path)) as store:
        store.releases()
    done = repair(path, NOW)

    assert (done.whole, done.lost, counts(path)) == (True, {}, before)
    assert_sound(path)


def test_an_artist_to_whom_no_index_leads_is_damage_and_not_unknown(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    fill(path)
    data = bytearray(path.read_bytes())
    [page] = pages_of(path, "sqlite_autoindex_artists_1")
    place = data.index(ARTISTS[6].id.encode(), (page - 1) * PAGE, page * PAGE)
    data[place] ^= 0x80
    path.write_bytes(data)
    with closing(SQLiteStore.open(path)) as store:
        assert ARTISTS[6] in {artist.ref for artist in store.artists()}
        with pytest.raises(StoreDamaged):
            store.follow(ARTISTS[6])
        with pytest.raises(KeyError):
            store.follow(Ref("spotify", "nobody"))
    done = repair(path, NOW)

    assert done.whole
    assert_sound(path)
