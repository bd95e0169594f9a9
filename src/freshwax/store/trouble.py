"""The one place where SQLite's errors become sentences: those that a user's environment can cause, and only those."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from freshwax.errors import StoreError, StoreLocked

_ADVICE = {
    sqlite3.SQLITE_READONLY: "cannot be written: make the file and its folder writable, or give another path",
    sqlite3.SQLITE_PERM: "cannot be used: access is denied; correct its permissions, or give another path",
    sqlite3.SQLITE_AUTH: "cannot be used: access is denied; correct its permissions, or give another path",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk reports an error: check the disk, then try again",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: free some space and try again; what was saved is still there",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and that you may write there",
    sqlite3.SQLITE_PROTOCOL: "is locked by another program: wait until that has ended, then try again",
    sqlite3.SQLITE_NOTADB: "is not a database: give another path, or move that file out of the way",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore a backup, or move the file out of the way and start anew",
}
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn SQLite's complaints about the file at ``path`` into a ``StoreError``; our own mistakes pass as they are."""
    try:
        yield
    except sqlite3.Error as error:
        sentence = _sentence(error, path)
        if sentence is None:
            raise
        raise sentence from error


def _sentence(error: sqlite3.Error, path: str) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Without a code it is Python that stumbled: over text that is no text, which only a damaged file holds.
        damaged = isinstance(error, sqlite3.OperationalError) and "decode" in str(error)
        code = sqlite3.SQLITE_CORRUPT if damaged else sqlite3.SQLITE_OK
    primary = code & 0xFF
    if primary in _LOCKED:
        return StoreLocked(f"the database {path} {_ADVICE[sqlite3.SQLITE_PROTOCOL]}")
    advice = _ADVICE.get(primary)
    return StoreError(f"the database {path} {advice}") if advice else None
