"""How a database file is made, recognised, brought up to date, or refused."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freshwax.errors import StoreError
from freshwax.quota import Cooldown
from freshwax.store import known_backups, migrate
from freshwax.store.sqlite import SQLiteStore

FIRST = (
    "CREATE TABLE fruit (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;\nINSERT INTO fruit VALUES (1, 'fig');\n"
)
SECOND = "-- Two.\nCREATE TABLE bowl (fruit INTEGER REFERENCES fruit (id)) STRICT;\nINSERT INTO bowl VALUES (1);\n"
THIRD = "ALTER TABLE fruit ADD COLUMN colour TEXT;\nCREATE INDEX by_name ON fruit (name);\n"


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def steps(folder: Path, *texts: str) -> dict[int, Path]:
    files = {}
    for number, text in enumerate(texts, 1):
        files[number] = folder / f"{number:04}.sql"
        files[number].write_text(text)
    return files


def bring(path: Path, known: dict[int, Path]) -> None:
    with raw(path) as connection:
        migrate.migrate(connection, str(path), known)


def dump(path: Path) -> list[str]:
    with raw(path) as connection:
        return list(connection.iterdump())


def version(path: Path) -> int:
    with raw(path) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_fresh_database_is_private_whole_and_without_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "new" / "f.db"
    SQLiteStore.open(path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["f.db"]
    assert version(path) == max(migrate.migrations())
    with raw(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA application_id").fetchone() == (migrate.APPLICATION_ID,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_table_is_strict_and_every_migration_numbered_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    SQLiteStore.open(path).close()

    with raw(path) as connection:
        loose = connection.execute("SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'")
        assert loose.fetchall() == []
    assert list(migrate.migrations()) == list(range(1, len(migrate.migrations()) + 1))


def test_a_fresh_schema_equals_one_that_was_migrated_step_by_step(tmp_path: Path) -> None:
    real = dict(migrate.migrations())
    for name, known in {"made up": steps(tmp_path, FIRST, SECOND, THIRD), "real": real}.items():
        fresh, slow = tmp_path / f"fresh {name}.db", tmp_path / f"slow {name}.db"
        bring(fresh, known)
        for latest in known:
            bring(slow, {number: file for number, file in known.items() if number <= latest})

        assert dump(fresh) == dump(slow)
        assert version(fresh) == version(slow) == max(known)


def test_a_copy_is_made_before_the_first_change(tmp_path: Path) -> None:
    path, copy = tmp_path / "f.db", tmp_path / "f.db.before-v3.bak"
    bring(path, steps(tmp_path, FIRST))
    with raw(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO fruit VALUES (2, 'plum')")
        before = list(connection.iterdump())
        bring(path, steps(tmp_path, FIRST, SECOND, THIRD))

    assert dump(copy) == before
    assert version(copy) == 1
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.glob("*.bak*")] == [copy.name]


def test_the_copy_of_a_database_behind_a_link_lies_where_it_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    path, link = tmp_path / "real" / "f.db", tmp_path / "link.db"
    bring(path, steps(tmp_path, FIRST))
    link.symlink_to(path)
    bring(link, steps(tmp_path, FIRST, SECOND))

    assert [Path(one.path) for one in known_backups.known(link)] == [tmp_path / "real" / "f.db.before-v2.bak"]


def test_an_earlier_copy_is_never_replaced_and_none_is_made_twice(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    bring(path, steps(tmp_path, FIRST))
    with raw(path) as connection:
        connection.execute("INSERT INTO fruit VALUES (2, 'plum')")
    old = path.read_bytes()
    for fruit in ("pear", "pear", "quince"):
        path.write_bytes(old)
        with raw(path) as connection:
            connection.execute("INSERT INTO fruit VALUES (3, ?)", (fruit,))
        bring(path, steps(tmp_path, FIRST, SECOND))

    copies = {file.name: dump(file) for file in tmp_path.glob("f.db.*")}
    assert sorted(copies) == ["f.db.before-v2-2.bak", "f.db.before-v2.bak"]
    assert "pear" in str(copies["f.db.before-v2.bak"])
    assert "quince" in str(copies["f.db.before-v2-2.bak"])


def test_a_copy_that_cannot_be_written_is_named_and_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    bring(path, steps(tmp_path, FIRST))
    before = path.read_bytes()
    (tmp_path / "f.db.before-v2.tmp").mkdir()

    with pytest.raises(StoreError, match=r"f\.db\.before-v2\.bak cannot be written \(Is a directory\)"):
        bring(path, steps(tmp_path, FIRST, SECOND))
    assert path.read_bytes() == before


def test_a_damaged_database_is_not_migrated(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    filler = "INSERT INTO fruit SELECT value + 9, printf('%900c', value) FROM json_each('[1,2,3,4,5,6,7,8,9]');\n"
    bring(path, steps(tmp_path, FIRST + filler))
    with path.open("r+b") as file:
        file.seek(-4096, 2)
        file.write(b"\xa5" * 4096)
    before = path.read_bytes()

    with pytest.raises(StoreError, match="is damaged: restore a backup"):
        bring(path, steps(tmp_path, FIRST + filler, SECOND))
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.bak*")) == []


def test_nothing_is_done_where_nothing_is_pending(tmp_path: Path) -> None:
    known = steps(tmp_path, FIRST)
    path = tmp_path / "f.db"
    bring(path, known)
    before = path.read_bytes()
    bring(path, known)

    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.bak*")) == []


@pytest.mark.parametrize(
    "bad",
    ["DELETE FROM fruit;\nCREATE TABLE fruit (x);\n", "PRAGMA user_version = 9;\nINSERT INTO bowl VALUES (77);\n"],
    ids=["an error", "a broken reference"],
)
def test_a_migration_that_fails_leaves_the_old_database(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "f.db"
    bring(path, steps(tmp_path, FIRST, SECOND))
    before = dump(path)

    with pytest.raises((sqlite3.OperationalError, StoreError)):
        bring(path, steps(tmp_path, FIRST, SECOND, THIRD, bad))

    assert dump(path) == before
    assert version(path) == 2


@pytest.mark.parametrize("old", [0, 1])
def test_a_crash_in_the_middle_of_a_migration_leaves_the_old_database(tmp_path: Path, old: int) -> None:
    path = tmp_path / "f.db"
    good = [FIRST, SECOND, THIRD]
    if old:
        bring(path, steps(tmp_path, *good[:old]))
    before = dump(path) if old else []
    # A small cache makes SQLite write pages to the file before the end, as a large migration would.
    spill = "PRAGMA cache_size = 1;\nCREATE TABLE big (x TEXT);\n" + (
        "INSERT INTO big SELECT printf('%2000c', value) FROM json_each('[1,2,3,4,5,6,7,8,9]');\n" * 20
    )
    script = (
        "import os, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from freshwax.store import migrate\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.create_function('die', 0, lambda: os._exit(9))\n"
        "migrate.migrate(connection, sys.argv[1], {int(Path(f).stem): Path(f) for f in sys.argv[2:]})\n"
    )
    files = steps(tmp_path, *good, spill + "SELECT die();\n")
    done = subprocess.run([sys.executable, "-c", script, str(path), *map(str, files.values())], check=False)
    assert done.returncode == 9
    assert path.stat().st_size > 0
    migrate.refuse_foreign_file(path)

    if old:
        assert dump(path) == before
    bring(path, steps(tmp_path, *good))
    assert version(path) == 3


def test_a_database_that_was_killed_while_it_was_made_is_made_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    path.touch()
    with closing(SQLiteStore.open(path)) as store:
        assert store.runs() == []


FILL = "CREATE TABLE big (x TEXT);\nINSERT INTO big VALUES (printf('%1000000c', 1));\n"


def test_what_a_migration_leaves_empty_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    bring(path, steps(tmp_path, FIRST, FILL))
    before = path.stat().st_size
    bring(path, steps(tmp_path, FIRST, FILL, "DROP TABLE big;\n"))

    assert path.stat().st_size < before / 10
    assert version(path) == 3


def test_a_file_that_cannot_be_shrunk_is_migrated_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    bring(path, steps(tmp_path, FIRST, FILL))
    with raw(path) as reader, raw(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA busy_timeout = 0")
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM big").fetchone() == (1,)
        migrate.migrate(connection, str(path), steps(tmp_path, FIRST, FILL, "DROP TABLE big;\n"))

    assert version(path) == 3


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    SQLiteStore.open(path).close()
    with raw(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    for read_only in (True, False):
        with pytest.raises(StoreError, match=r"newer freshwax \(schema 99.*update freshwax"):
            SQLiteStore.open(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize("identity", [0, 12345])
def test_another_programs_database_is_refused_untouched(tmp_path: Path, journal: str, identity: int) -> None:
    path = tmp_path / "f.db"
    with raw(path) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute(f"PRAGMA application_id = {identity}")
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    for read_only in (True, False):
        with pytest.raises(StoreError, match="another program: give another path"):
            SQLiteStore.open(path, read_only=read_only)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["f.db"]


def test_a_reader_says_what_to_do_with_an_older_database(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    bring(path, steps(tmp_path, FIRST))

    with raw(path) as connection, pytest.raises(StoreError, match=r"older freshwax.*run `freshwax track` once"):
        migrate.check(connection, str(path), steps(tmp_path, FIRST, SECOND))


def test_a_cooldown_of_an_older_freshwax_stays_in_force(tmp_path: Path) -> None:
    path, until = tmp_path / "f.db", datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    real = migrate.migrations()
    bring(path, {number: real[number] for number in (1, 2)})
    stamp = int(until.timestamp()) * 1_000_000
    with raw(path) as connection:
        connection.execute(
            "INSERT INTO cooldowns VALUES ('spotify', ?, 'quota'), ('other', ?, 'cooldown')", (stamp, stamp)
        )

    with closing(SQLiteStore.open(path)) as store:
        assert store.cooldowns("spotify") == [Cooldown("spotify", until, "quota exceeded")]
        assert store.cooldowns("other") == [Cooldown("other", until, "rate limit")]
