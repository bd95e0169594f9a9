"""Copies of a database, made and put back: whole, sound, and never in the way of what is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.store_words import NOW, A, B, at, release, report, save, start, told

from freshwax.errors import StoreError, StoreLocked
from freshwax.model import Ref
from freshwax.store import migrate
from freshwax.store.backup import Contents, back_up, restore
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
    with closing(SQLiteStore.open(path)) as store:
        run = start(store)
        save(store, A, told(release("one")), told(release("two")))
        report(store, run)
    return path


def follow(path: Path, *artists: Ref) -> None:
    with closing(SQLiteStore.open(path)) as store:
        store.watch([(artist, None) for artist in artists], NOW)


def names(path: Path) -> list[str]:
    with closing(SQLiteStore.open(path, read_only=True)) as store:
        assert store.problems() == []
        return [artist.ref.id for artist in store.artists()]


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


# -- backup


def test_a_backup_stands_alone_is_private_and_remembered(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "safe" / "copy.db"
    target.parent.mkdir()
    assert back_up(path, target, at(1)) == Contents(1, 2, NOW, max(migrate.migrations()))

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
            held.append(back_up(path, tmp_path / f"{number}.bak", NOW).artists - 1)
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
    left = [
        path.parent / name for name in (".copy.db.77.part", ".copy.db.77.part-journal", ".copy.db.78.part", ".notes")
    ]
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


def spoil_a_page(path: Path) -> None:
    """Overwrite a page in the middle, where the header does not show it."""
    with path.open("r+b") as file:
        file.seek(4096 * 8)
        file.write(b"\xa5" * 4096)


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


# -- restore


def test_what_was_backed_up_comes_back_and_the_old_one_is_kept(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.bak"
    back_up(path, copy, NOW)
    follow(path, B)
    done = restore(path, copy, at(2))

    assert done.kept == tmp_path / "f.db.before-restore-20260308T090000Z.bak"
    assert (done.contents.artists, done.contents.releases, done.contents.last_run) == (1, 2, NOW)
    assert names(path) == names(copy) == [A.id]
    assert names(done.kept) == [A.id, B.id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with closing(SQLiteStore.open(path)) as store:
        assert len(store.untold("stdout")) == 2
    again = restore(path, copy, at(2))
    assert again.kept == tmp_path / "f.db.before-restore-20260308T090000Z-2.bak"


def test_a_restored_database_knows_which_requests_were_sent_since_the_backup(path: Path, tmp_path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        store.record_request("spotify", "albums", at(-1), None)
    back_up(path, tmp_path / "copy.bak", NOW)
    with closing(SQLiteStore.open(path)) as store:
        for minute in range(3):
            store.record_request("spotify", "albums", at(1 + minute / 1440), 1)
    restore(path, tmp_path / "copy.bak", at(2))

    with closing(SQLiteStore.open(path)) as store:
        assert store.requests_since("spotify", at(-2)) == 4
        assert store.requests_since("spotify", at(1)) == 3
        assert store.problems() == []


def test_a_database_that_is_gone_is_restored_without_its_left_over_log(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    script = (
        "import os, sys\nfrom tests.contract.store_words import NOW, B\n"
        "from freshwax.store.sqlite import SQLiteStore\n"
        "SQLiteStore.open(sys.argv[1]).watch([(B, None)], NOW)\nos._exit(9)\n"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script, str(path)], cwd=root, check=False).returncode == 9
    log = path.with_name("f.db-wal").read_bytes()
    assert log
    path.unlink()

    assert restore(path, tmp_path / "copy.bak", NOW).kept is None
    assert names(path) == [A.id]
    assert [file.read_bytes() for file in tmp_path.glob("f.db.before-restore*-wal")] == [log]


@pytest.mark.parametrize("damage", [spoil_a_page, lambda path: path.write_bytes(b"\x00" * 5000)])
def test_a_damaged_database_is_kept_with_its_log_and_replaced(
    path: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    damage(path)
    spoilt = path.read_bytes()
    path.with_name("f.db-wal").write_bytes(b"a log of something")
    path.with_name("f.db-shm").write_bytes(b"an index of it")
    done = restore(path, tmp_path / "copy.bak", NOW)

    assert done.kept is not None
    assert done.kept.read_bytes()[100:] == spoilt[100:], "but for the header, which says that there is no log"
    assert names(path) == [A.id]
    assert not path.with_name("f.db-wal").exists()


def test_where_the_backup_cannot_take_its_place_a_left_over_log_stays(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    path.unlink()
    path.with_name("f.db-wal").write_bytes(b"a log of something")
    before, replace = files(path), Path.replace

    def refuse(file: Path, target: str | Path) -> Path:
        if Path(target) == path:
            raise PermissionError(1, "not today")
        return replace(file, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StoreError, match=r"f\.db cannot be replaced \(not today\)"):
        restore(path, tmp_path / "copy.bak", NOW)
    assert files(path) == before


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def with_loose_ends(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM releases")


REFUSED = {
    "garbage": (lambda path: path.write_text("Dear diary"), "or not a database: give the path of a backup"),
    "empty": (lambda path: path.write_bytes(b""), "is empty: give the path of a backup"),
    "foreign": (of_another_program, "of another program"),
    "newer": (newer, r"newer freshwax \(schema 99"),
    "cut": (cut, "is damaged"),
    "a spoilt page": (spoil_a_page, "is damaged"),
    "loose ends": (with_loose_ends, "is damaged .*refer to releases that are not there"),
    "missing": (lambda path: path.unlink(), "there is no backup at"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "is not a file"),
}


@pytest.mark.parametrize(("spoil", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_good_backup_is_refused_and_nothing_changes(
    path: Path, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    copy = tmp_path / "elsewhere" / "copy.bak"
    copy.parent.mkdir()
    back_up(path, copy, NOW)
    spoil(copy)
    before = files(path)

    with pytest.raises(StoreError, match=rf"copy\.bak.*{words}|{words}.*copy\.bak"):
        restore(path, copy, NOW)
    assert files(path) == before


def test_the_database_is_no_backup_of_itself(path: Path) -> None:
    before = files(path)
    with pytest.raises(StoreError, match="is the database itself"):
        restore(path, path, NOW)
    assert files(path) == before


@pytest.fixture
def reader(path: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A backup, and another program with the database open."""
    back_up(path, tmp_path / "copy.bak", NOW)
    follow(path, B)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        yield other


def test_a_database_that_is_written_is_not_replaced(
    path: Path, tmp_path: Path, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freshwax.store.swap.PATIENCE", 0)
    reader.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreLocked, match="locked by another program"):
        restore(path, tmp_path / "copy.bak", NOW)
    reader.execute("ROLLBACK")
    assert names(path) == [A.id, B.id]
    assert not list(tmp_path.glob("*before-restore*"))
    assert not list(tmp_path.glob(".*"))


def test_who_has_the_database_open_sees_the_old_one_and_then_the_new_one(
    path: Path, tmp_path: Path, reader: sqlite3.Connection
) -> None:
    count = "SELECT count(*) FROM artists"
    reader.execute("BEGIN")
    assert reader.execute(count).fetchone() == (2,)
    restore(path, tmp_path / "copy.bak", NOW)

    assert reader.execute(count).fetchone() == (2,)
    reader.execute("ROLLBACK")
    assert reader.execute(count).fetchone() == (1,)
    follow(path, Ref("spotify", "artist-c"))
    reader.execute("UPDATE artists SET name = 'anew'")
    reader.close()
    assert names(path) == [A.id, "artist-c"]


def test_what_is_kept_is_a_file_of_its_own(path: Path, tmp_path: Path, reader: sqlite3.Connection) -> None:
    done = restore(path, tmp_path / "copy.bak", NOW)
    reader.execute("DELETE FROM marks")
    assert done.kept is not None
    assert names(done.kept) == [A.id, B.id]
    assert not done.kept.samefile(path)


# Connects, waits for a line, and goes on as if nothing had happened meanwhile.
LATE = (
    "import sqlite3, sys\nfrom freshwax.store import connecting\nfrom tests.contract.store_words import NOW\n"
    "from freshwax.model import Ref\nfrom freshwax.store.sqlite import SQLiteStore\n"
    "def wait(event, values):\n"
    "    global waited\n"
    "    if event == 'sqlite3.connect/handle' and not waited:\n"
    "        waited = True\n"
    "        print('connected', flush=True)\n"
    "        sys.stdin.readline()\n"
    "waited = False\n"
    "sys.addaudithook(wait)\n"
    "store = SQLiteStore.open(sys.argv[1])\n"
    "store.watch([(Ref('spotify', f'late-{n:03}'), 'n' * 200) for n in range(500)], NOW)\n"
    "store.close()\n"
)


def test_who_opened_the_database_just_before_it_was_replaced_writes_into_the_new_one(
    path: Path, tmp_path: Path
) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    follow(path, *(Ref("spotify", f"more-{n}") for n in range(500)))
    command = [sys.executable, "-c", LATE, str(path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as late:
        assert late.stdout
        assert late.stdout.readline()
        restore(path, tmp_path / "copy.bak", NOW)
        follow(path, B)
        late.communicate("\n")
    assert late.returncode == 0
    assert set(names(path)) == {A.id, B.id, *(f"late-{n:03}" for n in range(500))}


ADDER = (
    "import sys\nfrom freshwax.model import Ref\nfrom freshwax.store.sqlite import SQLiteStore\n"
    "from tests.contract.store_words import NOW\n"
    "for n in range(10**9):\n"
    "    store = SQLiteStore.open(sys.argv[1])\n"
    "    store.watch([(Ref('spotify', f'{n}-{half}'), None) for half in 'ab'], NOW)\n"
    "    store.close()\n"
    "    print(n, flush=True)\n"
)


def test_writers_that_come_and_go_and_a_database_that_is_replaced_again_and_again(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    root, command = Path(__file__).parents[2], [sys.executable, "-c", ADDER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
        assert writer.stdout
        kept = []
        for number in range(12):
            assert writer.stdout.readline()
            kept.append(restore(path, tmp_path / "copy.bak", at(number)).kept)
        assert writer.stdout.readline(), "it never met an error"
        writer.kill()

    assert all(one and len(names(one)) % 2 for one in kept), "A and whole transactions"
    assert len(names(path)) % 2


def test_killed_in_the_middle_the_old_or_the_new_one_stands(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    follow(path, *(Ref("spotify", f"more-{n:04}") for n in range(500)))
    before = names(path)
    # Dies at the given one of the steps that swap.py makes: calls, also of SQLite and of the file system, and returns.
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom freshwax.store.backup import restore\n"
        "from tests.contract.store_words import NOW\n"
        "left = int(sys.argv[3])\n"
        "def count(frame, *_):\n"
        "    global left\n"
        "    left -= frame.f_code.co_filename.endswith('swap.py')\n"
        "    if not left:\n"
        "        os._exit(9)\n"
        "sys.setprofile(count)\n"
        "restore(Path(sys.argv[1]), Path(sys.argv[2]), NOW)\n"
    )
    root, seen = Path(__file__).parents[2], []
    for point in range(5, 1000, 9):
        command = [sys.executable, "-c", script, str(path), str(tmp_path / "copy.bak"), str(point)]
        code = subprocess.run(command, cwd=root, check=False, timeout=60).returncode
        found = names(path)
        assert found in (before, [A.id])
        seen.append(code)
        if code == 0:
            break
        if found != before:
            follow(path, *(Ref("spotify", name) for name in before[1:]))
    assert len(seen) > 5
    assert seen[-1] == 0


def test_a_link_to_the_database_stays_a_link(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    follow(path, B)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    restore(link, tmp_path / "copy.bak", NOW)

    assert link.is_symlink()
    assert names(path) == [A.id]
