"""Which files belong to a database, and which are databases of ours: what nobody may write anything else into."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from freshwax.store import migrate

LOGS = ("-shm", "-journal", "-wal")
_OF_WORK = (".lock", ".report.lock", ".backups")
_BESIDE = ("", *LOGS, *_OF_WORK)
# How a database, its log (in either order of bytes) and its journal begin.
_BEGINNINGS = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
_LOG_AT, _LOG = 18, 2  # where a header says that changes go to a log first


def belongs_to(database: Path, file: Path) -> bool:
    """Say whether a file is a database, or one of those that stand beside it, by whatever name or link."""
    names = {f"{base}{end}" for base in (os.path.realpath(database), os.path.abspath(database)) for end in _BESIDE}  # noqa: PTH100 -- links stay
    return bool({os.path.realpath(file), os.path.abspath(file)} & names) or same_as(file, map(Path, names))  # noqa: PTH100


def same_as(file: Path, others: Iterable[Path]) -> bool:
    """Say whether a file is one of some others, by whatever name or link."""
    return any(_same(file, other) for other in others)


def is_ours(file: Path) -> bool:
    """Say whether the header of a file says that it is a database of freshwax."""
    try:
        return file.is_file() and migrate.identity(file) == migrate.OURS
    except OSError:
        return False


def is_sqlite(file: Path) -> bool:
    """Say whether a file is a database of SQLite's, of whatever program, or the log or journal of one."""
    try:
        if not file.is_file():
            return False
        with file.open("rb") as opened:
            return opened.read(16).startswith(_BEGINNINGS)
    except OSError:
        return False


def stands_beside(file: Path) -> bool:
    """Say whether a file, there or not yet, belongs to the database beside it by its name: ``f.db-wal`` to ``f.db``."""
    name = os.path.realpath(file)
    return any(is_sqlite(Path(name.removesuffix(end))) for end in (*LOGS, *_OF_WORK) if name.endswith(end))


def is_worked_on(file: Path) -> bool:
    """Say whether freshwax runs, or ran, on a database: what stands beside it then stays there."""
    return any(Path(f"{os.path.realpath(file)}{end}").exists() for end in _OF_WORK)


def stands_alone(file: Path) -> bool:
    """Say whether a database is all in its file, as a backup is until somebody writes to it."""
    return not (file.exists() and _has_log(file)) and not any(Path(f"{file}{end}").exists() for end in LOGS)


def foreign_log(database: Path) -> Path | None:
    """Return the log beside a database that cannot be its own; SQLite would play it into the file all the same.

    SQLite writes into a header that there is a log before it begins one, and takes that back once the log is gone. So
    where it is not said, one of the two was put beside the other by hand.
    """
    log = Path(f"{os.path.realpath(database)}-wal")
    try:
        alien = log.stat().st_size and migrate.identity(database) and not _has_log(database)
        return log if alien and log.stat().st_size else None  # still there: else it was folded in meanwhile
    except OSError:
        return None


def _has_log(database: Path) -> bool:
    with database.open("rb") as file:
        return file.read(_LOG_AT + 1)[_LOG_AT:] == bytes([_LOG])


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
