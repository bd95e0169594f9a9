"""Bring a database to the present schema: numbered, frozen SQL files, all that are pending in one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from filecmp import cmp
from functools import cache
from pathlib import Path

from freshwax.errors import StoreError
from freshwax.store.copying import copy_of, private, sync_folder, unused, unwritable
from freshwax.store.trouble import damaged, missing, no_database

FOLDER = Path(__file__).parent / "migrations"
# "fwax": by this, a file says that it is ours.
APPLICATION_ID = 0x66776178
_MAGIC = b"SQLite format 3\0"
_ID_AT = slice(68, 72)
OURS = APPLICATION_ID.to_bytes(4, "big")
LOOSE = "PRAGMA foreign_key_check"


@cache
def migrations() -> Mapping[int, Path]:
    """Return the migration files by the version that each leads to."""
    return {int(path.name[:4]): path for path in sorted(FOLDER.glob("*.sql"))}


def refuse_foreign_file(path: Path) -> None:
    """Raise unless the file's header says that it is ours, and that the log beside it is its own."""
    if Path(f"{path}-journal").exists():
        # A first migration that was killed: the header may be anything until SQLite has taken that back. `migrate` and
        # `check` look again then.
        return
    found = identity(path)
    if found is None:
        raise no_database(str(path))
    if found != OURS:
        raise foreign(str(path))
    if Path(f"{os.path.realpath(path)}-wal").exists():
        from freshwax.store.own_files import foreign_log  # noqa: PLC0415 -- which imports this

        if log := foreign_log(path):
            raise foreign_log_beside(log, path)


def identity(path: Path) -> bytes | None:
    """Return by what the header of a file says whose database it is; None where it is none."""
    with path.open("rb") as file:
        header = file.read(100)
    return header[_ID_AT] if header.startswith(_MAGIC) and len(header) == 100 else None


def check(connection: sqlite3.Connection, path: str, known: Mapping[int, Path] | None = None) -> None:
    """Raise unless the database is ours and of the present version: what a reader, who may not migrate, needs."""
    latest = max(known or migrations())
    version = version_of(connection, path, latest)
    if not version:
        raise missing(path)
    if version < latest:
        raise StoreError(
            f"the database {path} is of an older freshwax (schema {version}, this one needs {latest}): "
            "run `freshwax track` once, it brings it up to date and keeps a copy of the old one"
        )


def migrate(connection: sqlite3.Connection, path: str, known: Mapping[int, Path] | None = None) -> None:
    """Apply what is pending, after a copy of an existing file to ``<path>.before-v<N>.bak``, or ``…-2.bak``.

    Foreign keys must be off (as they are on a new connection): a migration may rebuild tables. They are checked here.
    """
    known = known or migrations()
    latest = max(known)
    if version_of(connection, path, latest) == latest:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have migrated while this one waited for the lock.
        version = version_of(connection, path, latest)
        pending = [number for number in sorted(known) if number > version]
        if version and pending:
            _back_up(path, latest)
        for number in pending:
            _apply(connection, number, known[number])
        broken = connection.execute(LOOSE).fetchone()
        if broken:
            raise StoreError(
                f"the database {path} cannot be brought up to date, a row of {broken[0]} refers to a missing one: "
                "restore a backup"
            )
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    _shrink(connection)


def _shrink(connection: sqlite3.Connection) -> None:
    """Give back the room that a migration left empty, where that is much; where it cannot be done, it is used later."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if 4 * free > pages:
        with suppress(sqlite3.Error):
            connection.execute("VACUUM")


def _apply(connection: sqlite3.Connection, number: int, file: Path) -> None:
    for statement in _statements(file.read_text("utf-8")):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {number}")


def _statements(script: str) -> Iterator[str]:
    """Split a script: sqlite3's own ``executescript`` would commit the transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def version_of(connection: sqlite3.Connection, path: str, latest: int | None = None) -> int:
    """Return a database's schema version, 0 for an empty one. StoreError: not ours, or newer than this freshwax."""
    latest = latest or max(migrations())
    (identity,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if identity != APPLICATION_ID and (identity or version or tables):
        raise foreign(path)
    if version > latest:
        raise StoreError(
            f"the database {path} was written by a newer freshwax (schema {version}, this one knows {latest}): "
            "update freshwax, or give another database"
        )
    return int(version)


def foreign_log_beside(log: Path, database: Path) -> StoreError:
    """Return what to say of a log that SQLite would play into a file to which it does not belong."""
    return StoreError(
        f"{log} is the log of another file than {database}, which it would spoil: "
        "move it out of the way, then try again"
    )


def foreign(path: str) -> StoreError:
    """Return what to say of a database that is not ours."""
    return StoreError(f"{path} is a database of another program: give another path")


def _back_up(path: str, target: int) -> None:
    """Copy the file, under the write lock that the caller holds; under its name only once it is whole and sound.

    Beside the file itself, whatever links lead to it: there, known_backups looks for it.
    """
    if path == ":memory:":
        return
    real = Path(os.path.realpath(path))
    final = unused(f"{real}.before-v{target}")
    with private(Path(f"{real}.before-v{target}.tmp"), final) as draft:
        copy_of(real, draft, final)
        with closing(sqlite3.connect(draft)) as copy:
            _refuse_damage(copy, path)
        if any(cmp(draft, one, shallow=False) for one in _copies(real, target)):
            return  # made by a migration that was killed after that
        try:
            draft.replace(final)
        except OSError as error:
            raise unwritable(final, error.strerror) from error
    sync_folder(real.parent)


def _copies(real: Path, target: int) -> Iterator[Path]:
    named = f"{real.name}.before-v{target}"
    ours = (one for one in real.parent.iterdir() if one.name.startswith((f"{named}.bak", f"{named}-")))
    return (one for one in ours if one.suffix == ".bak" and one.is_file())


def _refuse_damage(copy: sqlite3.Connection, path: str) -> None:
    """Raise where the database is damaged: to change its layout would make that worse."""
    if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise damaged(path)
