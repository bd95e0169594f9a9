"""What stands where a backup is to go, or beside a file that is restored: no part of the new one, and not lost."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.backup_words import files, fill, follow, names, spoil_a_page
from tests.contract.store_words import NOW, A, B, at

from freshwax.errors import StoreError, StoreLocked
from freshwax.model import Ref
from freshwax.store.backup import back_up, restore
from freshwax.store.lock import RunLock
from freshwax.store.sqlite import SQLiteStore

# Writes to a database, and dies before anything is folded into the file.
CRASH = (
    "import os, sys\nfrom freshwax.model import Ref\nfrom freshwax.store.sqlite import SQLiteStore\n"
    "from tests.contract.store_words import NOW\n"
    "SQLiteStore.open(sys.argv[1]).watch([(Ref('spotify', f'x-{n}'), 'N' * 50) for n in range(300)], NOW)\n"
    "os._exit(9)\n"
)
CRASHED = sorted([A.id, *(f"x-{n}" for n in range(300))])


def crash(path: Path) -> None:
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", CRASH, str(path)], cwd=root, check=False).returncode == 9
    assert path.with_name(f"{path.name}-wal").stat().st_size


def made_at(path: Path, day: float) -> None:
    """Make another database, begun at another time."""
    with closing(SQLiteStore.open(path)) as store:
        store.watch([(A, None)], at(day))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which something happened."""
    path = tmp_path / "f.db"
    fill(path)
    return path


@pytest.fixture
def copy(path: Path, tmp_path: Path) -> Path:
    """A backup of it, to which the database has an artist more."""
    copy = tmp_path / "b.bak"
    assert back_up(path, copy, NOW).kept is None
    follow(path, B)
    return copy


def stands(copy: Path) -> list[str]:
    """Who is in a file, once it is seen that nothing else stands beside it."""
    assert not [end for end in ("-wal", "-shm", "-journal") if copy.with_name(copy.name + end).exists()]
    return names(copy)


def test_what_somebody_who_crashed_wrote_into_a_backup_is_kept_and_is_not_in_the_next(path: Path, copy: Path) -> None:
    crash(copy)
    done = back_up(path, copy, at(1), replace=True)

    assert done.contents.artists == 2
    assert stands(copy) == [A.id, B.id]
    assert done.kept == copy.with_name("b.bak.before-backup-20260307T090000Z.bak")
    assert sorted(names(done.kept)) == CRASHED
    restore(path, copy, at(2))
    assert names(path) == [A.id, B.id]


def test_a_log_without_its_database_is_put_aside(path: Path, copy: Path) -> None:
    crash(copy)
    log = copy.with_name("b.bak-wal").read_bytes()
    copy.unlink()
    done = back_up(path, copy, at(1))

    assert stands(copy) == [A.id, B.id]
    assert done.kept is not None
    assert done.kept.name.endswith(".bak-wal")
    assert done.kept.read_bytes() == log


@pytest.mark.parametrize("written", [b"a journal of something", b""])
def test_a_journal_is_put_aside(path: Path, copy: Path, written: bytes) -> None:
    copy.unlink()
    copy.with_name("b.bak-journal").write_bytes(written)
    done = back_up(path, copy, at(1))

    assert stands(copy) == [A.id, B.id]
    assert done.kept is not None
    assert done.kept.read_bytes() == written


def test_a_log_that_an_older_freshwax_left_beside_its_backup_is_put_aside_unplayed(path: Path, copy: Path) -> None:
    older = copy.read_bytes()
    crash(copy)
    copy.write_bytes(older)
    log = copy.with_name("b.bak-wal").read_bytes()
    done = back_up(path, copy, at(1), replace=True)

    assert stands(copy) == [A.id, B.id]
    assert done.kept is not None
    assert (done.kept.read_bytes(), Path(f"{done.kept}-wal").read_bytes()) == (older, log)


def test_a_backup_with_a_log_that_is_not_its_own_is_not_restored(path: Path, copy: Path, tmp_path: Path) -> None:
    older = copy.read_bytes()
    crash(copy)
    copy.write_bytes(older)
    before = files(path)

    with pytest.raises(
        StoreError, match=r"b\.bak-wal is the log of another file than .*b\.bak, .*: move it out of the way"
    ):
        restore(path, copy, at(1))
    assert files(path) == before
    copy.with_name("b.bak-wal").rename(tmp_path / "aside")
    copy.with_name("b.bak-shm").unlink()
    restore(path, copy, at(1))
    assert names(path) == [A.id]


def test_a_backup_that_somebody_who_crashed_wrote_into_is_restored_with_that(path: Path, copy: Path) -> None:
    crash(copy)
    assert restore(path, copy, at(1)).contents.artists == 301
    assert sorted(names(path)) == CRASHED


def test_a_database_that_was_put_beside_the_log_of_another_is_kept_as_it_lies_there(path: Path, copy: Path) -> None:
    crash(path)
    shutil.copyfile(copy, path)
    spoilt, log = path.read_bytes(), path.with_name("f.db-wal").read_bytes()
    done = restore(path, copy, at(1))

    assert not done.remembered
    assert stands(path) == [A.id]
    assert done.kept is not None
    assert (done.kept.read_bytes(), Path(f"{done.kept}-wal").read_bytes()) == (spoilt, log)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_backup_that_somebody_copied_over_the_database_by_hand_is_not_spoilt_by_its_log(
    path: Path, copy: Path, tmp_path: Path, *, read_only: bool
) -> None:
    crash(path)
    shutil.copyfile(copy, path)
    before = files(path)

    with pytest.raises(
        StoreError, match=r"f\.db-wal is the log of another file than .*f\.db, .*: move it out of the way"
    ):
        SQLiteStore.open(path, read_only=read_only)
    with pytest.raises(StoreError, match=r"f\.db-wal is the log of another file"):
        back_up(path, tmp_path / "new.bak", at(1))
    (tmp_path / "link.db").symlink_to(path)
    with pytest.raises(StoreError, match=r"f\.db-wal is the log of another file"):
        SQLiteStore.open(tmp_path / "link.db", read_only=read_only)
    (tmp_path / "link.db").unlink()
    assert files(path) == before
    path.with_name("f.db-wal").rename(tmp_path / "aside")
    assert names(path) == [A.id]


def test_a_backup_that_was_only_looked_into_by_a_command_that_writes_is_kept(path: Path, copy: Path) -> None:
    SQLiteStore.open(copy).close()
    done = back_up(path, copy, at(1), replace=True)

    assert done.kept is not None
    assert (names(done.kept), stands(copy)) == ([A.id], [A.id, B.id])
    assert back_up(path, copy, at(2), replace=True).kept is None


def test_a_spoilt_backup_gives_way_and_is_kept(path: Path, copy: Path) -> None:
    with copy.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (copy.stat().st_size - 4096))
    spoilt = copy.read_bytes()
    done = back_up(path, copy, at(1), replace=True)

    assert stands(copy) == [A.id, B.id]
    assert done.kept is not None
    assert done.kept.read_bytes()[100:] == spoilt[100:]


def test_a_backup_with_a_spoilt_page_gives_way(path: Path, copy: Path) -> None:
    spoil_a_page(copy)
    back_up(path, copy, at(1), replace=True)
    assert stands(copy) == [A.id, B.id]


@pytest.mark.parametrize("running", [True, False])
def test_a_database_on_which_freshwax_runs_or_ran_is_no_older_backup(
    path: Path, tmp_path: Path, *, running: bool
) -> None:
    live = tmp_path / "live.db"
    back_up(path, live, NOW)
    lock = RunLock(live, NOW)
    lock.acquire()
    if not running:
        lock.release()
    follow(live, B)
    before = files(path)

    with pytest.raises(
        StoreError, match=r"live\.db is a database that freshwax works on, no backup: give another path"
    ):
        back_up(path, live, at(1), replace=True)
    assert files(path) == before
    lock.release()


def test_a_database_that_another_program_has_open_is_not_replaced(
    path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freshwax.store.swap.PATIENCE", 0)
    with closing(SQLiteStore.open(copy)) as other:
        other.watch([(Ref("spotify", "theirs"), None)], NOW)
        with pytest.raises(StoreLocked, match=r"b\.bak is locked by another program"):
            back_up(path, copy, at(1), replace=True)
    assert names(copy) == [A.id, "theirs"]


def test_a_backup_of_another_database_is_not_replaced(path: Path, tmp_path: Path) -> None:
    other, copy, raw = (tmp_path / name for name in ("other.db", "other.bak", "raw.db"))
    made_at(other, 5)
    back_up(other, copy, at(5))
    shutil.copyfile(other, raw)
    before = files(path)

    for theirs in (copy, raw):
        with pytest.raises(StoreError, match="is a backup of another database: give another path, or delete"):
            back_up(path, theirs, at(6), replace=True)
    assert files(path) == before


def test_backups_go_on_after_a_restore_a_removal_and_more_than_twenty_names(path: Path, copy: Path) -> None:
    for number in range(22):
        back_up(path, copy.with_name(f"{number}.bak"), at(number))
    with closing(SQLiteStore.open(path)) as store:
        store.watch([(A, None), (B, None)], at(1))
    restore(path, copy, at(23))
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("UPDATE artists SET added_at = added_at + 1")
    assert back_up(path, copy.with_name("0.bak"), at(24), replace=True).kept is None
