"""Copies of a database, made and put back: whole, sound, and never in the way of what is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.backup_words import files, fill, follow, names, spoil_a_page
from tests.contract.store_words import NOW, A, B, at

from freshwax.errors import StoreError, StoreLocked
from freshwax.store import migrate
from freshwax.store.backup import BackedUp, Contents, back_up, restore
from freshwax.store.known_backups import Backup, known, newest_good
from freshwax.store.sqlite import SQLiteStore

WRITER = (
    "import sys\nfrom tests.contract.store_words import NOW\nfrom freshwax.model import Ref\n"
    "from freshwax.store.sqlite import SQLiteStore\n"
    "store = SQLiteStore.open(sys.argv[1])\n"
    "for n in range(10**9):\n"
    "    store.watch([(Ref('spotify', f'{n}-{half}'), None) for half in 'ab'], NOW)\n"
    "    print(n, flush=True)\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which something happened."""
    path = tmp_path / "f.db"
    fill(path)
    return path


# -- backup


def test_a_backup_stands_alone_is_private_and_remembered(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "safe" / "copy.db"
    target.parent.mkdir()
    assert back_up(path, target, at(1)) == BackedUp(Contents(1, 2, NOW, max(migrate.migrations())), None)

    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names(target) == [A.id]
    assert known(path) == [Backup(str(target), at(1))]
    assert stat.S_IMODE((tmp_path / "f.db.backups").stat().st_mode) == 0o600


def test_backups_made_while_another_process_writes_are_each_one_moment(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as writer:
        assert writer.stdout
        held = []
        for number in range(8):
            for _ in range(20):
                assert writer.stdout.readline()
            held.append(back_up(path, tmp_path / f"{number}.bak", NOW).contents.artists - 1)
        writer.kill()

    assert all(count % 2 == 0 for count in held), "half of a transaction"
    assert held == sorted(held)
    assert held[0] < held[-1], "the writer went on meanwhile"


def test_a_backup_is_replaced_only_on_request(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    back_up(path, target, NOW)
    follow(path, B)

    with pytest.raises(StoreError, match=r"copy\.db is there already: .*--force"):
        back_up(path, target, at(1))
    assert names(target) == [A.id]
    back_up(path, target, at(1), replace=True)
    assert names(target) == [A.id, B.id]
    assert known(path) == [Backup(str(target), at(1))]


@pytest.mark.parametrize("name", ["f.db", "f.db-wal", "f.db.lock", "f.db.backups", "link.db", "hard.db"])
def test_a_backup_never_replaces_the_database_itself(path: Path, name: str) -> None:
    (path.parent / "link.db").symlink_to(path)
    (path.parent / "hard.db").hardlink_to(path)
    before = files(path)

    with pytest.raises(StoreError, match="belongs to the database itself: give another path"):
        back_up(path, path.parent / name, NOW, replace=True)
    assert files(path) == before


@pytest.mark.parametrize(
    ("name", "words"), [("", "is a folder"), ("f.db/x", "cannot be written"), ("none/x", "cannot be written")]
)
def test_a_target_that_cannot_be_written_is_named(path: Path, name: str, words: str) -> None:
    before = files(path)
    with pytest.raises(StoreError, match=words):
        back_up(path, path.parent / name, NOW, replace=True)
    assert files(path) == before


def test_what_a_killed_backup_left_behind_goes_after_a_day(path: Path) -> None:
    part = ".freshwax.part"
    names = (f".monday.db.77{part}", f".monday.db.77{part}-journal", f".copy.db.78{part}", ".notes.part")
    left = [path.parent / name for name in names]
    for file in left:
        file.write_bytes(b"half a backup")
    for file in (*left[:2], left[3]):
        os.utime(file, (at(-2).timestamp(),) * 2)
    os.utime(left[2], (at(-0.1).timestamp(),) * 2)
    back_up(path, path.parent / "copy.db", NOW)

    assert sorted(path.parent.glob(".*")) == sorted(left[2:])


def test_a_database_below_a_file_is_not_restored(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    with pytest.raises(StoreError, match=r"f\.db cannot be written"):
        restore(tmp_path / "copy.bak" / "f.db", tmp_path / "copy.bak", NOW)


def test_a_device_is_no_target(path: Path) -> None:
    with pytest.raises(StoreError, match="/dev/null is not a file"):
        back_up(path, Path("/dev/null"), NOW, replace=True)


def test_nothing_is_backed_up_where_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no database at .* yet"):
        back_up(tmp_path / "f.db", tmp_path / "copy.db", NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_locked_database_is_not_waited_for_without_an_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freshwax.store.copying.PATIENCE", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match="locked by another program"):
            back_up(path, path.parent / "copy.db", NOW)
    assert not list(path.parent.glob("*copy*"))


def test_a_damaged_database_is_not_backed_up_and_the_last_good_one_is_named(path: Path) -> None:
    good = path.parent / "good.bak"
    back_up(path, good, NOW)
    spoil_a_page(path)

    with pytest.raises(StoreError, match=rf"is damaged: .*of 2026-03-06 09:00 UTC, with `freshwax .*restore {good}`"):
        back_up(path, path.parent / "bad.bak", at(1))
    assert not list(path.parent.glob("*bad*"))
    assert newest_good(path) == Backup(str(good), NOW)


# -- which backup is named


def test_the_newest_backup_that_is_good_is_named(path: Path) -> None:
    old, new, gone = (path.parent / name for name in ("old.bak", "new.bak", "gone.bak"))
    for days, target in enumerate((old, new, gone)):
        back_up(path, target, at(days))
    gone.unlink()
    spoil_a_page(new)

    assert newest_good(path) == Backup(str(old), NOW)
    assert [Path(one.path).name for one in known(path)] == ["new.bak", "old.bak"]


def test_copies_that_migrations_made_count_and_a_spoilt_list_does_not_hide_them(path: Path) -> None:
    copy = path.with_name("f.db.before-v9.bak")
    shutil.copy(path, copy)
    path.with_name("f.db.backups").write_bytes(b"\xff nonsense\n[1]\n")

    found = newest_good(path)
    assert found is not None
    assert found.path == str(copy)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("size", [0, 300, 4096 * 3])
def test_a_database_that_something_cut_short_is_damaged_not_new(path: Path, size: int, read_only: bool) -> None:
    back_up(path, path.parent / "good.bak", NOW)
    with path.open("r+b") as file:
        file.truncate(size)
        file.write(bytes(min(size, 300)))

    with pytest.raises(StoreError, match=r"is damaged: .*good\.bak`"):
        SQLiteStore.open(path, read_only=read_only)
    assert path.stat().st_size == size


def test_a_link_to_the_database_stays_a_link_when_restored(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    follow(path, B)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    restore(link, tmp_path / "copy.bak", NOW)

    assert link.is_symlink()
    assert names(path) == [A.id]
