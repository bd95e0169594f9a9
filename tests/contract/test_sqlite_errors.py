"""Whatever is wrong with the file: one clear sentence that names it, and nothing changed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.store_words import NOW, SHELL, A, release, report, save, start, told

from freshwax.errors import StoreError, StoreLocked
from freshwax.model import ArtistState, CheckResult, Mode, Report
from freshwax.quota import Cooldown, Limit
from freshwax.store.backup import flaws
from freshwax.store.base import Check, Store
from freshwax.store.sqlite import SQLiteStore
from freshwax.store.trouble import translated


def save_nothing(store: Store) -> None:
    with store.write() as tx:
        tx.save(CheckResult(A, 1, NOW, None, (), (), (), None), [])


def read(path: Path, *, read_only: bool) -> int:
    with closing(SQLiteStore.open(path, read_only=read_only)) as store:
        return len(store.releases())


def finish(store: Store) -> None:
    run = store.run(1)
    assert run
    store.finish_run(run)


def save_report(store: Store) -> None:
    run = store.run(1)
    assert run
    store.save_report(Report(0, SHELL, Mode.INCREMENTAL, run, ()))


def pull_back(store: Store) -> None:
    assert store.pull_back("spotify", NOW)


WRITES: dict[str, Callable[[Store], Any]] = {
    "watch": lambda store: store.watch([(A, None)], NOW),
    "set_state": lambda store: store.set_state(A, ArtistState.DISABLED),
    "write": save_nothing,
    "save_failure": lambda store: store.save_failure(Check(A, 1, NOW, "server")),
    "prune": lambda store: store.prune(checks_before=NOW, releases_before=NOW, most=10),
    "take_turns": lambda store: store.take_turns([A], NOW),
    "start_run": start,
    "finish_run": finish,
    "save_report": save_report,
    "tell": lambda store: store.tell(1, NOW),
    "claim_request": lambda store: store.claim_request("spotify", "x", NOW, None, ()),
    "notice_ahead": lambda store: store.notice_ahead("spotify", NOW),
    "pull_back": pull_back,
    "set_cooldown": lambda store: store.set_cooldown(Cooldown("spotify", NOW, "x")),
    "set_setting": lambda store: store.set_setting("x", "y"),
}
# What only reads, or waits for nobody, or (settle_request) may be put off.
READS = {
    "artist", "artists", "checks", "close", "cooldowns", "deep_queue", "failing_since", "follow", "has_forgotten",
    "held",
    "history", "hurry",
    "last_report",
    "nth_last_request",
    "releases", "reports", "requests_since", "run", "runs", "setting", "settle_request", "story",
    "untold",
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which something happened."""
    path = tmp_path / "f.db"
    with closing(SQLiteStore.open(path)) as store:
        run = start(store)
        save(store, A, told(release("one")))
        report(store, run)
        store.claim_request("spotify", "x", NOW + timedelta(days=1), None, ())
    return path


@pytest.fixture
def locked(path: Path) -> Iterator[Store]:
    """A store on a database that another program writes to."""
    with (
        closing(SQLiteStore.open(path, patience=0)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        yield store


def test_a_sound_database_has_no_problems(path: Path) -> None:
    assert flaws(path) == []


def test_a_row_that_refers_to_nothing_is_a_problem(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA foreign_keys = OFF")
        other.execute("DELETE FROM releases")
    assert any("refer to releases that are not there" in flaw for flaw in flaws(path))


def test_every_method_is_known_to_read_or_to_write() -> None:
    methods = {name for name in vars(Store) if not name.startswith("_")}

    assert methods == WRITES.keys() | READS


@pytest.mark.parametrize("name", WRITES)
def test_every_write_on_a_locked_database_says_so(locked: Store, path: Path, name: str) -> None:
    with pytest.raises(StoreLocked, match=f"{path} is locked by another program: wait"):
        WRITES[name](locked)
    assert [run.id for run in locked.runs()] == [1]


def test_reading_never_waits_for_a_writer(locked: Store, path: Path) -> None:
    assert [one.release.ref.id for one in locked.releases()] == ["one"]
    with closing(SQLiteStore.open(path, read_only=True, patience=0)) as reader:
        assert reader.story(release("one").ref) == locked.story(release("one").ref)


def test_an_exclusive_lock_keeps_even_readers_out(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN IMMEDIATE")
        for read_only in (True, False):
            with pytest.raises(StoreLocked, match="locked"):
                SQLiteStore.open(path, read_only=read_only, patience=0)


def test_the_end_of_a_request_waits_for_a_lock_to_end(path: Path) -> None:
    with closing(SQLiteStore.open(path, patience=0)) as store:
        number = store.claim_request("spotify", "albums", NOW, None, ())
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.settle_request(number, 200, 77)
            with pytest.raises(StoreLocked):
                store.set_setting("x", "y")
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT status, bytes_received FROM requests WHERE bucket = 'albums'").fetchall() == [
            (200, 77)
        ]


def test_between_the_look_at_the_quota_and_the_entry_nobody_else_gets_in(path: Path) -> None:
    class Slow(Limit, frozen=True):
        def free_at(self, asked: datetime | None, now: datetime) -> datetime | None:
            with pytest.raises(StoreLocked):
                other.claim_request("spotify", "albums", NOW, None, [Limit(1, timedelta(days=1))])
            return super().free_at(asked, now)

    with closing(SQLiteStore.open(path)) as store, closing(SQLiteStore.open(path, patience=0)) as other:
        assert isinstance(store.claim_request("quota", "albums", NOW, None, [Slow(1, timedelta(days=1))]), int)


@pytest.mark.parametrize("name", WRITES)
def test_a_reader_cannot_write(path: Path, name: str) -> None:
    with closing(SQLiteStore.open(path, read_only=True)) as store, pytest.raises(StoreError, match="cannot be written"):
        WRITES[name](store)


def test_a_reader_leaves_nothing_behind(path: Path) -> None:
    before = path.read_bytes()
    with closing(SQLiteStore.open(path, read_only=True)) as store:
        assert len(store.releases()) == 1

    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["f.db"]


def test_a_reader_sees_what_a_writer_that_was_killed_had_committed(path: Path) -> None:
    script = (
        "import os, sys\nfrom freshwax.store.sqlite import SQLiteStore\n"
        "store = SQLiteStore.open(sys.argv[1])\nstore.set_setting('x', 'y')\nos._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 9

    with closing(SQLiteStore.open(path, read_only=True)) as store:
        assert store.setting("x") == "y"


def test_a_reader_of_nothing_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no database at .* yet: `freshwax artists import FILE` makes one"):
        SQLiteStore.open(tmp_path / "deep" / "f.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary")

    with pytest.raises(StoreError, match=r"notes\.txt is damaged or not a database: .*; to start anew"):
        SQLiteStore.open(path, read_only=read_only)
    assert path.read_text() == "Dear diary"


@pytest.mark.parametrize("read_only", [True, False])
def test_a_folder_is_refused(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(StoreError, match="is a folder: give the path of a database file"):
        SQLiteStore.open(tmp_path, read_only=read_only)


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"file/f\.db cannot be used"):
        SQLiteStore.open(tmp_path / "file" / "f.db")


@pytest.mark.parametrize("read_only", [True, False])
def test_a_damaged_database_says_so_wherever_it_is_met(path: Path, read_only: bool) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with pytest.raises(StoreError, match=rf"{path} is damaged: restore a backup"):
        read(path, read_only=read_only)


def test_a_database_that_was_cut_short_is_damaged(path: Path) -> None:
    os.truncate(path, 4096 * 5)

    with pytest.raises(StoreError, match="is damaged"), closing(SQLiteStore.open(path)) as store:
        store.releases()


def test_a_full_disk_is_named_and_what_was_there_stays(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        store._db._connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="the disk is full: free some space"):
            store.set_setting("long", "x" * 100_000)
        assert store.setting("long") is None
        assert len(store.releases()) == 1


@contextmanager
def as_a_plain_user() -> Iterator[None]:
    """Be somebody for whom permissions count, where the tests are run by root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def sealed(path: Path) -> Iterator[Path]:
    """That database, readable by all, in a folder where nobody may write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / "f.db"
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o444)
        folder.chmod(0o555)
        yield copy
        folder.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="permissions of a folder")
def test_a_folder_where_nobody_may_write_can_be_read(sealed: Path) -> None:
    with as_a_plain_user():
        assert read(sealed, read_only=True) == 1
    assert [file.name for file in sealed.parent.iterdir()] == ["f.db"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of a folder")
@pytest.mark.parametrize("name", ["f.db", "new.db", "deep/new.db"])
def test_a_folder_where_nobody_may_write_is_named(sealed: Path, name: str) -> None:
    with as_a_plain_user(), pytest.raises(StoreError, match=rf"the database {sealed.parent}/\S+ cannot be"):
        SQLiteStore.open(sealed.parent / name)


@pytest.mark.skipif(os.name != "posix", reason="permissions of a file")
def test_a_file_that_only_another_user_may_read_is_named(sealed: Path) -> None:
    sealed.chmod(0o400 if os.geteuid() == 0 else 0o000)
    with as_a_plain_user(), pytest.raises(StoreError, match=r"f\.db cannot be used \(Permission denied\)"):
        SQLiteStore.open(sealed, read_only=True)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_IOERR | 2 << 8, "disk reports an error"),
        (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
        (sqlite3.SQLITE_READONLY, "cannot be written"),
        (sqlite3.SQLITE_BUSY | 2 << 8, "locked"),
        (sqlite3.SQLITE_NOTADB, "not a database"),
    ],
)
def test_what_the_environment_causes_becomes_a_sentence(code: int, words: str) -> None:
    error = sqlite3.OperationalError("?")
    error.sqlite_errorcode = code
    with pytest.raises(StoreError, match=rf"/some/f\.db .*{words}"), translated("/some/f.db"):
        raise error


def test_a_mistake_of_our_own_stays_what_it_is() -> None:
    with (
        pytest.raises(sqlite3.OperationalError),
        closing(sqlite3.connect(":memory:")) as connection,
        translated("f.db"),
    ):
        connection.execute("SELECT nothing")
