"""Other contents in the place of a database: at every moment the old or the new stand there whole.

A sound database keeps its file: the new pages are written over the old ones in one transaction of SQLite's, under its
locks, so that whoever has the database open just sees other contents, as after any commit, and a kill leaves one of the
two. Where there is no database, or a damaged one, whose locks and log nobody can trust, the new file takes its name.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from freshwax.errors import StoreError, StoreLocked
from freshwax.store.connecting import connect
from freshwax.store.copying import DRAFT, copy_of, private, sync_folder, unused, unwritable
from freshwax.store.trouble import FAILURES, is_damage, translated

PATIENCE = 5.0
ATTEMPTS = 5  # to be alone, where others come in between
_LOGS = ("-wal", "-journal")
_STEP = 64  # pages that are written at once
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def free_name(database: Path, label: str, now: datetime) -> Path:
    """Return a name beside the database that nobody has: ``f.db.before-restore-20260306T090000Z.bak``."""
    return unused(f"{database}.{label}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def put_in_place(draft: Path, database: Path, kept: Path) -> Path | None:
    """Put ``draft`` (closed, in no journal mode but ``delete``) in the place of ``database``.

    What stood there is kept as ``kept``, a file of its own, which is returned; None where nothing stood there.
    StoreLocked: another program uses the database; StoreError: the files cannot be written. In both cases the old one
    stands.
    """
    if not database.exists() or not database.stat().st_size:
        _take_place(draft, database, kept)
        return None
    if _takes_pages_of(draft, database):
        try:
            _write_over(draft, database, kept)
        except OSError as error:
            raise unwritable(kept, error.strerror) from error
    else:
        with _alone(database):
            _take_place(draft, database, kept)
    return kept


# -- the same file


def _takes_pages_of(draft: Path, database: Path) -> bool:
    """Say whether a database is sound enough to trust its locks, and such that another's pages fit into its file."""
    with translated(str(database)):
        try:
            with (
                closing(connect(database, read_only=False, patience=PATIENCE)) as connection,
                closing(connect(draft, read_only=True, patience=PATIENCE)) as other,
            ):
                sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
                # With a rollback journal, nobody could read what is to be kept once we hold the lock.
                log = sound and connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
                sizes = {one.execute("PRAGMA page_size").fetchone() for one in (connection, other)}
                return log and len(sizes) == 1
        except FAILURES as error:
            if not is_damage(error):
                raise
            return False


def _write_over(draft: Path, database: Path, kept: Path) -> None:
    """Write every page of one database over another, in one transaction, in which the old contents are kept, too."""
    began = False

    def look(status: int, _left: int, _total: int) -> None:
        nonlocal began
        if status & 0xFF in _BUSY:  # SQLite has waited as long as the connection may; Python would go on for ever
            raise _locked(database)
        if not began:  # the lock is ours since the first step, and whoever reads still finds the old contents
            with private(_draft_of(kept), kept) as copy:
                copy_of(database, copy, kept)
                copy.replace(kept)
            sync_folder(database.parent)
            began = True

    with (
        translated(str(database)),
        closing(connect(draft, read_only=True, patience=PATIENCE)) as source,
        closing(connect(database, read_only=False, patience=PATIENCE)) as target,
    ):
        (count,) = source.execute("PRAGMA page_count").fetchone()
        try:
            source.backup(target, pages=max(1, min(_STEP, count - 1)), progress=look, sleep=0)
        except (*FAILURES, OSError):
            kept.unlink(missing_ok=True)
            raise


def _draft_of(kept: Path) -> Path:
    return kept.with_name(f".{kept.name}.{os.getpid()}{DRAFT}")


def _locked(database: Path) -> StoreLocked:
    return StoreLocked(
        f"the database {database} is locked by another program: wait until that has ended, then try again"
    )


# -- another file


def _take_place(draft: Path, database: Path, kept: Path) -> None:
    """Give a file the name of a database, of which a copy is kept, with its logs.

    A log must be gone before: SQLite would play it into any file of this name. A kill between leaves the damaged
    database without it; the copy has both.
    """
    try:
        _keep(database, kept)
        try:
            for end in (*_LOGS, "-shm"):
                Path(f"{database}{end}").unlink(missing_ok=True)
            draft.replace(database)
        except OSError:
            for end in _LOGS:
                with suppress(FileNotFoundError):
                    Path(f"{kept}{end}").replace(f"{database}{end}")
            kept.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StoreError(f"{database} cannot be replaced ({error.strerror}): correct that, and try again") from error
    sync_folder(database.parent)


def _keep(database: Path, kept: Path) -> None:
    """Copy a database as it lies there, with its logs; under its name once it is whole. OSError: nothing is left."""
    made: list[Path] = []
    try:
        for end in (*_LOGS, ""):
            file = Path(f"{database}{end}")
            if file.exists() and (end or file.stat().st_size):
                with private(_draft_of(kept), kept) as copy:
                    shutil.copyfile(file, copy)
                    copy.replace(f"{kept}{end}")
                made.append(Path(f"{kept}{end}"))
    except OSError:
        for file in made:
            file.unlink()
        raise
    sync_folder(kept.parent)


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Lock everybody out of a database while its file is replaced; a damaged one is taken as it lies there.

    Whoever opened it before and waits for the lock finds the file replaced, and is told so.
    """
    try:
        held = _settled(database)
    except StoreError as error:
        if not is_damage(error.__cause__):
            raise
        held = None
    try:
        if held and os.name == "nt":  # where an open file cannot be moved
            held.close()
        yield
    finally:
        if held:
            held.close()


def _settled(database: Path) -> sqlite3.Connection:
    """Fold the log into the database, so that none is left for the new one, and return the connection that locks it."""
    with translated(str(database)):
        held = connect(database, read_only=False, patience=PATIENCE)
        try:
            for _ in range(ATTEMPTS):
                # SQLite lets only the sole user of a file do this; who opens it next may begin a log again.
                held.execute("PRAGMA journal_mode = DELETE")
                held.execute("BEGIN EXCLUSIVE")
                if held.execute("PRAGMA journal_mode").fetchone() == ("delete",):
                    return held
                held.execute("ROLLBACK")
        except BaseException:
            held.close()
            raise
    held.close()
    raise _locked(database)
