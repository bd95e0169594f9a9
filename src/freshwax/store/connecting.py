"""A connection to a file of SQLite, as it lies there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

PATIENCE = 5.0  # seconds that another program's lock is waited for
# What SQLite says where it cannot make the files of the write-ahead log.
_NO_LOG = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def connect(
    path: Path, *, read_only: bool, patience: float, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Connect to a file that is there, as it is. Errors are SQLite's own; a reader leaves nothing behind."""
    connection = _connect_as(path, "mode=rw", patience, factory)
    if not read_only:
        return connection
    try:
        # Not mode=ro: such a reader would leave the files of the write-ahead log behind when it is the last to close.
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA schema_version").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in _NO_LOG or Path(f"{path}-wal").exists():
            raise
        # The log needs a file beside the database. In a folder where we may not write there is none, so nobody writes
        # now, and the database can be read as it lies there.
        return _connect_as(path, "immutable=1", patience, factory)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_as(path: Path, how: str, patience: float, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    where = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(where, uri=True, timeout=patience, isolation_level=None, factory=factory)
