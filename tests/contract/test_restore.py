"""Backups put back in the place of a database: whole, whoever has it open and whatever strikes meanwhile."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.backup_words import files, fill, follow, names, spoil_a_page
from tests.contract.store_words import NOW, A, B, at, release, report, save, start, titles, told

from freshwax.errors import StoreError, StoreLocked
from freshwax.model import Kind, Ref
from freshwax.store.backup import back_up, flaws, restore
from freshwax.store.sqlite import SQLiteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database in which something happened."""
    path = tmp_path / "f.db"
    fill(path)
    return path


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
        store.claim_request("spotify", "albums", at(-1), None, ())
    back_up(path, tmp_path / "copy.bak", NOW)
    with closing(SQLiteStore.open(path)) as store:
        for minute in range(3):
            store.claim_request("spotify", "albums", at(1 + minute / 1440), 1, ())
    restore(path, tmp_path / "copy.bak", at(2))

    with closing(SQLiteStore.open(path)) as store:
        assert store.requests_since("spotify", at(-2)) == 4
        assert store.requests_since("spotify", at(1)) == 3
        assert flaws(path) == []


def tell_all(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as store:
        run = start(store, at(1))
        store.tell(report(store, run).id, at(1))


def waiting(path: Path) -> list[str]:
    with closing(SQLiteStore.open(path)) as store:
        assert flaws(path) == []
        return titles(store.untold("stdout"))


def test_what_was_told_since_the_backup_is_not_told_again(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    with closing(SQLiteStore.open(path)) as store:
        save(store, A, told(release("three")), told(release("soon"), Kind.UPCOMING))
    tell_all(path)
    with closing(SQLiteStore.open(path)) as store:
        save(store, A, told(release("four")))
    done = restore(path, tmp_path / "copy.bak", at(2))

    assert done.remembered
    assert waiting(path) == []
    with closing(SQLiteStore.open(path)) as store:
        assert set(store.follow(A).known) == {"one", "two", "three"}
        assert store.last_report("stdout")
        with store.write() as tx:
            [twin] = tx.announced([], ["key of Title of three"])
        assert twin.release == release("three")
        save(store, A, *(told(release(name)) for name in ("three", "four", "soon")))
    assert waiting(path) == ["four", "soon"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), spoil_a_page])
def test_without_a_sound_database_before_it_what_waited_waits(
    path: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    tell_all(path)
    damage(path)
    done = restore(path, tmp_path / "copy.bak", at(2))

    assert not done.remembered
    assert waiting(path) == ["one", "two"]


def test_restored_again_it_remembers_once(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    tell_all(path)
    for days in range(2, 5):
        restore(path, tmp_path / "copy.bak", at(days))

    assert waiting(path) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM told").fetchone() == (2,)


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


def test_who_opened_a_damaged_database_just_before_it_was_replaced_is_told_so(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    spoil_a_page(path)
    command = [sys.executable, "-c", LATE, str(path)]
    root = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=root) as late:
        assert late.stdout
        assert late.stdout.readline()
        restore(path, tmp_path / "copy.bak", NOW)
        follow(path, B)
        _, said = late.communicate("\n")
    assert "StoreLocked: the database" in said
    assert "was replaced by another one meanwhile: try again" in said
    assert names(path) == [A.id, B.id]


def test_who_has_a_damaged_database_open_writes_nothing_once_it_is_replaced(path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "copy.bak", NOW)
    with closing(SQLiteStore.open(path)) as store:
        path.unlink()
        restore(path, tmp_path / "copy.bak", NOW)
        with pytest.raises(StoreLocked, match="was replaced by another one meanwhile: try again"):
            store.watch([(B, None)], NOW)
    assert names(path) == [A.id]


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
