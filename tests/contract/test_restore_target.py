"""What a restored database does not take the place of."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from tests.contract.backup_words import fill
from tests.contract.store_words import NOW

from freshwax.errors import StoreError
from freshwax.store.backup import back_up, restore


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
    with pytest.raises(StoreError, match=r"other\.db is a database of another program: .* move that file away"):
        restore(other, copy, NOW)
    assert other.read_bytes() == before


def test_a_folder_is_not_replaced(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match=r"folder is a folder: give the path of a database file in it"):
        restore(tmp_path / "folder", copy, NOW)
