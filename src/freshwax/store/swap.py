"""Another file in the place of a database: at every moment one of the two stands there whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from freshwax.errors import StoreError
from freshwax.store.connecting import connect
from freshwax.store.copying import sync_folder, unused
from freshwax.store.trouble import is_damage, translated

PATIENCE = 5.0


def free_name(database: Path, label: str, now: datetime) -> Path:
    """Return a name beside the database that nobody has: ``f.db.before-restore-20260306T090000Z.bak``."""
    stem = f"{database}.{label}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return unused(stem)


def put_in_place(draft: Path, database: Path, kept: Path) -> Path | None:
    """Move ``draft`` (closed, in no journal mode but ``delete``) to the place of ``database``.

    What stood there is kept as ``kept``, which is returned; None where nothing stood there. StoreLocked: another
    program uses the database; StoreError: the files cannot be moved. In both cases the old one stands.
    """
    try:
        if not database.exists() or not database.stat().st_size:
            _put_logs_aside(database, kept)
            draft.replace(database)
            return None
        with _alone(database):
            _keep(database, kept)
            _put_logs_aside(database, kept)
            draft.replace(database)
    except OSError as error:
        raise StoreError(f"{database} cannot be replaced ({error.strerror}): correct that, and try again") from error
    sync_folder(database.parent)
    return kept


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Lock everybody out of a database while its file is replaced; a damaged one is taken as it lies there.

    Whoever opened it before and waits for the lock finds the file moved, and is told so by SQLite when it writes.
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
            # SQLite lets only the sole user of a file do this.
            held.execute("PRAGMA journal_mode = DELETE")
            held.execute("BEGIN EXCLUSIVE")
        except BaseException:
            held.close()
            raise
    return held


def _keep(database: Path, kept: Path) -> None:
    # A second name for the same file: the first one is there until the new file takes it over.
    try:
        os.link(database, kept)
    except OSError:  # a file system without such names
        shutil.copy2(database, kept)


def _put_logs_aside(database: Path, kept: Path) -> None:
    """Take away the logs that SQLite would play into any file of this name; they go where their database goes."""
    for end in ("-wal", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{database}{end}").replace(f"{kept}{end}")
    with suppress(FileNotFoundError):
        Path(f"{database}-shm").unlink()
