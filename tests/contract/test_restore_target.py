"""What a restored database does not take the place of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.backup_words import fill
from tests.contract.store_words import NOW

from freshwax.errors import StoreError
from freshwax.store.backup import back_up, flaws, restore


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A backup."""
    fill(tmp_path / "f.db")
    back_up(tmp_path / "f.db", tmp_path / "copy.bak", NOW)
    return tmp_path / "copy.bak"


def test_a_database_of_another_program_is_not_replaced(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(StoreError, match=r"other\.db is a database of another program: give another path"):
        restore(other, copy, NOW)
    assert other.read_bytes() == before


def test_a_folder_is_not_replaced(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match=r"folder is a folder: give the path of a database file in it"):
        restore(tmp_path / "folder", copy, NOW)


def test_a_database_of_another_program_that_keeps_its_journal_is_not_replaced(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("PRAGMA journal_mode = PERSIST")
        connection.execute("CREATE TABLE photos (name TEXT)")
    assert Path(f"{other}-journal").exists()
    with pytest.raises(StoreError, match=r"other\.db is a database of another program"):
        restore(other, copy, NOW)


@pytest.mark.parametrize("harm", [lambda data: data[:60], lambda data: data[:16] + bytes(496) + data[512:]])
def test_what_is_damaged_and_has_backups_is_replaced_whatever_its_header_says(
    copy: Path, harm: Callable[[bytes], bytes]
) -> None:
    database = copy.with_name("f.db")
    database.write_bytes(harm(database.read_bytes()))
    assert restore(database, copy, NOW).contents.artists == 1
    assert flaws(database) == []
