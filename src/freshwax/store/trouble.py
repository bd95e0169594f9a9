"""The one place where SQLite's errors become sentences: those that a user's environment can cause, and only those."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from freshwax.errors import StoreDamaged, StoreError, StoreLocked, StoreMissing
from freshwax.store.rows import Unreadable

Identity = tuple[int, int]

_ADVICE = {
    sqlite3.SQLITE_READONLY: "cannot be written: make the file and its folder writable, or give another path",
    sqlite3.SQLITE_PERM: "cannot be used: access is denied; correct its permissions, or give another path",
    sqlite3.SQLITE_AUTH: "cannot be used: access is denied; correct its permissions, or give another path",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk reports an error: check the disk, then try again",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: free some space and try again; what was saved is still there",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and that you may write there",
    sqlite3.SQLITE_PROTOCOL: "is locked by another program: wait until that has ended, then try again",
}
_DAMAGE = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_MOVED = sqlite3.SQLITE_READONLY_DBMOVED
_NO_SUCH = ("no such column", "no such table", "has no column named")
# What SQLite fails with: its own errors, and Python's, where SQLite's words quote a damaged file that holds no text.
FAILURES = (sqlite3.Error, UnicodeDecodeError)


@contextmanager
def readable(path: str, opened: Identity | None = None) -> Iterator[None]:
    """Call a database damaged where its rows hold what freshwax never wrote."""
    try:
        yield
    except Unreadable as error:
        need_same(path, opened)
        raise damaged(path) from error


@contextmanager
def translated(path: str, opened: Identity | None = None) -> Iterator[None]:
    """Turn SQLite's complaints about the file at ``path`` into a ``StoreError``; our own mistakes pass as they are.

    ``opened``: which file it was when it was opened. SQLite does not know that one gave its place to another: to it,
    files that do not belong together look damaged.
    """
    try:
        yield
    except FAILURES as error:
        need_same(path, opened)
        sentence = _sentence(error, path)
        if sentence is None:
            raise
        raise sentence from error


def identity(path: str) -> Identity | None:
    """Return what tells the file at a path from any other, whatever they are called; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- paths are text here
    except OSError:
        return None
    return found.st_dev, found.st_ino


def need_same(path: str, opened: Identity | None) -> None:
    """Raise StoreLocked where another file has taken the place of the one that was opened."""
    if opened and identity(path) != opened:
        raise _replaced(path)


def _replaced(path: str) -> StoreLocked:
    return StoreLocked(f"the database {path} was replaced by another one meanwhile: try again")


def is_damage(error: BaseException | None) -> bool:
    """Say whether SQLite found a file damaged, or to be no database at all."""
    return isinstance(error, FAILURES) and _code(error) & 0xFF in _DAMAGE


def no_database(path: str) -> StoreError:
    """Return what to say of a file without SQLite's header: damaged, where there were backups of it; else it may be."""
    if _traces(path):
        return hopeless(path)
    return StoreError(
        f"{path} is damaged or not a database: restore {_restore(path)}, or give another path; {_anew([path])}"
    )


def damaged(path: str) -> StoreDamaged:
    """Return the sentence about a damaged database: it names the newest good backup that is known, and what to type."""
    typed = _restore(path)
    otherwise = f", or save what can be saved with {_typed(path)} doctor --repair`" if typed.endswith(" FILE`") else ""
    return StoreDamaged(f"the database {path} is damaged: restore {typed}{otherwise}")


def hopeless(path: str, how: str = "is damaged") -> StoreDamaged:
    """Return what to say of a database of which nothing can be saved, however it is tried."""
    return StoreDamaged(f"the database {path} {how}: restore {_restore(path)}; {_anew([path, *_traces(path)])}")


def missing(path: str) -> StoreError:
    """Return what to say of a database that is not there: that there is none yet, or that it is gone.

    It is gone where something beside it speaks of it: to make a new one then would hide that everything is lost.
    """
    traces = _traces(path)
    if not traces:
        return StoreMissing(f"no database at {path} yet: `freshwax artists import FILE` makes one")
    return StoreDamaged(f"the database {path} is gone: restore {_restore(path)}, or put it back; {_anew(traces)}")


def _anew(files: Sequence[str]) -> str:
    return f"to start anew, move {' and '.join(files)} out of the way"


def _restore(path: str) -> str:
    """Return which backup to restore, and what to type: the newest good one that is known."""
    import shlex  # noqa: PLC0415 -- only where something is damaged

    from freshwax.store.known_backups import newest_good  # noqa: PLC0415

    backup = None if path == ":memory:" else newest_good(path)
    if backup is None:
        return f"a backup with {_typed(path)} restore FILE`"
    of = f"of {backup.at:%Y-%m-%d %H:%M} UTC"
    return f"the last good backup, {of}, with {_typed(path)} restore {shlex.quote(backup.path)}`"


def _typed(path: str) -> str:
    import shlex  # noqa: PLC0415 -- as above

    return f"`freshwax --database {shlex.quote(path)}"


def _traces(path: str) -> list[str]:
    from freshwax.store.known_backups import traces  # noqa: PLC0415 -- only where something is wrong

    return [] if path == ":memory:" else [str(file) for file in traces(path)]


def words_for(error: BaseException) -> str:
    """Return what is wrong with a damaged file, in SQLite's words where it has any."""
    return "it holds text that is none" if isinstance(error, UnicodeDecodeError) or is_no_text(error) else str(error)


def is_no_text(error: BaseException) -> bool:
    """Say whether it is Python that stumbled, without a code of SQLite's: over text that is none, in a damaged file."""
    no_code = getattr(error, "sqlite_errorcode", None) is None
    return no_code and isinstance(error, sqlite3.OperationalError) and "decode" in str(error)


def _code(error: sqlite3.Error | UnicodeDecodeError) -> int:
    if isinstance(error, UnicodeDecodeError) or is_no_text(error):
        return sqlite3.SQLITE_CORRUPT
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK))


def _sentence(error: sqlite3.Error | UnicodeDecodeError, path: str) -> StoreError | None:
    code = _code(error)
    if is_damage(error):
        return no_database(path) if code & 0xFF == sqlite3.SQLITE_NOTADB else damaged(path)
    if code == sqlite3.SQLITE_ERROR and any(words in str(error) for words in _NO_SUCH):
        return damaged(path)  # the statements are ours and fit the version, so the list of tables is spoilt
    if code == _MOVED:
        return _replaced(path)
    primary = code & 0xFF
    if primary in _LOCKED:
        return StoreLocked(f"the database {path} {_ADVICE[sqlite3.SQLITE_PROTOCOL]}")
    advice = _ADVICE.get(primary)
    return StoreError(f"the database {path} {advice}") if advice else None
