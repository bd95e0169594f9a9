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
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from threading import Event

from freshwax.errors import StoreError, StoreLocked
from freshwax.store.connecting import PATIENCE, connect
from freshwax.store.copying import DRAFT, copy_of, private, sync_folder, unused, unwritable
from freshwax.store.trouble import FAILURES, is_damage, translated

ATTEMPTS = 50  # to be alone, where others come in between
_CHUNK = 1 << 20
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
        with alone(database) as held:
            held.give_way(draft, kept)
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


class Alone:
    """A database from which everybody else is locked out, until another file has its name.

    ``settled``: its log is folded into it and it lies still, so that it can be read without a lock. Otherwise it is too
    damaged to be locked, and is only looked at again before it gives way.
    """

    def __init__(self, database: Path, file: BufferedReader, held: sqlite3.Connection | None) -> None:
        self._database = database
        # Not to be opened again as long as the lock is held: to close it then would give up the lock, as POSIX has it.
        self.file = file
        self._held = held
        self._was = None if held else self._print()

    @property
    def settled(self) -> bool:
        """Whether nobody can write into it."""
        return self._held is not None

    def copy_to(self, draft: Path) -> None:
        """Copy it into an empty file. One of ``FAILURES`` where it is damaged; StoreError: the copy cannot be made."""
        if self._held is None:
            copy_of(self._database, draft, self._database)
            return
        try:
            _copy(self.file, draft)
        except OSError as error:
            raise unwritable(self._database, error.strerror) from error

    def give_way(self, draft: Path, kept: Path) -> None:
        """Give a draft its name, and keep what it was. StoreLocked: others changed it since; then it stands."""
        if self._was != (None if self._held else self._print()):
            raise StoreLocked(f"the database {self._database} was changed by another program meanwhile: try again")
        _take_place(draft, self._database, kept, self)

    def let_move(self) -> None:
        """Close it where an open file cannot be moved."""
        if os.name == "nt":
            self.close()

    def close(self) -> None:
        """Let others in again. Idempotent."""
        if self._held:
            self._held.close()
        self.file.close()

    def _print(self) -> list[bytes]:
        """Return what tells these contents from any others."""
        self.file.seek(0)
        found = [file_digest(self.file, "sha256").digest()]
        for end in _LOGS:
            with suppress(FileNotFoundError), Path(f"{self._database}{end}").open("rb") as file:
                found.append(end.encode() + file_digest(file, "sha256").digest())
        return found


@contextmanager
def alone(database: Path) -> Iterator[Alone]:
    """Lock everybody out of a database while its file is replaced; StoreLocked where others use it.

    Whoever opened it before and waits for the lock finds the file replaced, and is told so.
    """
    try:
        file = database.open("rb")
    except OSError as error:
        raise StoreError(f"{database} cannot be read ({error.strerror}): correct that, and try again") from error
    with file:
        try:
            held = _settled(database)
        except StoreError as error:
            if not is_damage(error.__cause__):
                raise
            held = None
        found = Alone(database, file, held)
        try:
            yield found
        finally:
            found.close()


def _settled(database: Path) -> sqlite3.Connection:
    """Fold the log into the database, so that none is left for the new one, and return the connection that locks it."""
    with translated(str(database)):
        held = connect(database, read_only=False, patience=PATIENCE)
        try:
            held.execute("PRAGMA writable_schema = ON")  # a list of tables that is damaged is no obstacle
            for attempt in range(ATTEMPTS):
                if _is_settled(held, last=attempt == ATTEMPTS - 1):
                    return held
                Event().wait(PATIENCE / ATTEMPTS)  # SQLite itself does not wait for others who merely have it open
        except BaseException:
            held.close()
            raise
    held.close()
    raise _locked(database)


def _is_settled(held: sqlite3.Connection, *, last: bool) -> bool:
    """Lock a database without a log. SQLite lets only its sole user do that, and whoever opens it begins one again."""
    try:
        held.execute("PRAGMA journal_mode = DELETE")
        held.execute("BEGIN EXCLUSIVE")
        if held.execute("PRAGMA journal_mode").fetchone() == ("delete",):
            return True
        held.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF not in _BUSY:
            raise
    return False


def _take_place(draft: Path, database: Path, kept: Path, alone: Alone | None = None) -> None:
    """Give a file the name of a database, of which a copy is kept, with its logs.

    A log must be gone before: SQLite would play it into any file of this name. A kill between leaves the damaged
    database without it; the copy has both.
    """
    try:
        _keep(database, kept, alone.file if alone else None)
        if alone:
            alone.let_move()
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


def _keep(database: Path, kept: Path, file: BufferedReader | None) -> None:
    """Copy a database as it lies there, with its logs; under its name once it is whole. OSError: nothing is left."""
    made: list[Path] = []
    try:
        for end in (*_LOGS, ""):
            source = Path(f"{database}{end}")
            if source.exists() and (end or source.stat().st_size):
                with private(_draft_of(kept), kept) as copy:
                    if file and not end:
                        _copy(file, copy)
                    else:
                        shutil.copyfile(source, copy)
                    copy.replace(f"{kept}{end}")
                made.append(Path(f"{kept}{end}"))
    except OSError:
        for one in made:
            one.unlink()
        raise
    sync_folder(kept.parent)


def _copy(file: BufferedReader, target: Path) -> None:
    file.seek(0)
    with target.open("wb") as copy:
        shutil.copyfileobj(file, copy, _CHUNK)
