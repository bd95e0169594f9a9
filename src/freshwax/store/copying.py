"""Copies of a database: made while others write, in private files that get their names once they are whole."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from freshwax.errors import StoreError
from freshwax.store.connecting import PATIENCE, connect
from freshwax.store.trouble import FAILURES, is_damage, translated

DRAFT = ".freshwax.part"  # of whatever name: a backup has another one each night, as a rule


@contextmanager
def draft_beside(target: Path, now: datetime) -> Iterator[Path]:
    """Make an empty, private file beside the target; whatever is left of it at the end is removed.

    So is what others left who were killed a day ago or longer.
    """
    try:
        _sweep(target, now)
    except OSError as error:
        raise unwritable(target, error.strerror) from error
    with private(target.with_name(f".{target.name}.{os.getpid()}{DRAFT}"), target) as draft:
        yield draft


@contextmanager
def private(draft: Path, target: Path) -> Iterator[Path]:
    """Make an empty file that nobody else may read, and is to become ``target``; remove it, if it is still there."""
    try:
        os.close(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise unwritable(target, error.strerror) from error
    try:
        yield draft
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                Path(f"{draft}{end}").unlink()


def _sweep(target: Path, now: datetime) -> None:
    old = (now - timedelta(days=1)).timestamp()
    left = re.compile(rf"\..+\.\d+{re.escape(DRAFT)}(-wal|-shm|-journal)?")
    for file in target.parent.iterdir():
        if left.fullmatch(file.name) and file.stat().st_mtime < old:
            file.unlink(missing_ok=True)


def copy_of(source: Path, draft: Path, target: Path) -> None:
    """Copy one state of a database into the empty file ``draft``, which then stands alone and is to become ``target``.

    One of ``FAILURES`` where the source is damaged; StoreError: it is locked, or the copy cannot be written.
    """
    try:
        with closing(connect(source, read_only=True, patience=PATIENCE)) as reader:
            # Holds this state, and finds out about locks: SQLite's backup would wait for them without an end.
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _write_copy(reader, draft, target)
    except FAILURES as error:
        if is_damage(error):
            raise
        with translated(str(source)):
            raise


def _write_copy(reader: sqlite3.Connection, draft: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(draft)) as copy:
            reader.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except FAILURES as error:
        if is_damage(error):
            raise
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        raise unwritable(target, "the disk is full" if full else "the disk reports an error") from error


def unwritable(target: Path, why: str | None) -> StoreError:
    """Return what to say of a file that cannot be written."""
    return StoreError(f"{target} cannot be written ({why}): make room or correct that, or give another path")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unused(stem: str) -> Path:
    """Return a name for a copy that nobody has: ``f.db.before-v4.bak``, or ``f.db.before-v4-2.bak``."""
    number = 1
    while (found := Path(f"{stem}.bak" if number == 1 else f"{stem}-{number}.bak")).exists():
        number += 1
    return found
