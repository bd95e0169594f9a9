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
}
_DAMAGE = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_MOVED = sqlite3.SQLITE_READONLY_DBMOVED


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


def is_damage(error: BaseException | None) -> bool:
    """Say whether SQLite found a file damaged, or to be no database at all."""
    return isinstance(error, sqlite3.Error) and _code(error) & 0xFF in _DAMAGE


def no_database(path: str) -> StoreError:
    """Return what to say of a file without SQLite's header: damaged, where there were backups of it; else not ours."""
    return damaged(path) if _had_backups(path) else StoreError(f"{path} {_ADVICE[sqlite3.SQLITE_NOTADB]}")


def damaged(path: str) -> StoreError:
    """Return the sentence about a damaged database: it names the newest good backup that is known, and what to type."""
    import shlex  # noqa: PLC0415 -- only where something is damaged

    from freshwax.store.known_backups import newest_good  # noqa: PLC0415

    backup = None if path == ":memory:" else newest_good(path)
    typed = f"`freshwax --database {shlex.quote(path)}"
    if backup is None:
        return StoreError(
            f"the database {path} is damaged: restore a backup with {typed} restore FILE`, "
            f"or save what can be saved with {typed} doctor --repair`"
        )
    return StoreError(
        f"the database {path} is damaged: restore the last good backup, of {backup.at:%Y-%m-%d %H:%M} UTC, "
        f"with {typed} restore {shlex.quote(backup.path)}`"
    )


def _had_backups(path: str) -> bool:
    from freshwax.store.known_backups import known  # noqa: PLC0415 -- only where something is wrong

    return bool(known(path))


def _code(error: sqlite3.Error) -> int:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Without a code it is Python that stumbled: over text that is no text, which only a damaged file holds.
        unreadable = isinstance(error, sqlite3.OperationalError) and "decode" in str(error)
        code = sqlite3.SQLITE_CORRUPT if unreadable else sqlite3.SQLITE_OK
    return int(code)


def _sentence(error: sqlite3.Error, path: str) -> StoreError | None:
    code = _code(error)
    if is_damage(error) and (code & 0xFF != sqlite3.SQLITE_NOTADB or _had_backups(path)):
        return damaged(path)
    if code == _MOVED:
        return StoreLocked(f"the database {path} was replaced by another one meanwhile: try again")
    primary = code & 0xFF
    if primary in _LOCKED:
        return StoreLocked(f"the database {path} {_ADVICE[sqlite3.SQLITE_PROTOCOL]}")
    advice = _ADVICE.get(primary)
    return StoreError(f"the database {path} {advice}") if advice else None
