"""A connection to the SQLite file: opened with care, read and written in transactions, its errors translated."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from freshwax.errors import StoreError
from freshwax.store import migrate
from freshwax.store.connecting import connect
from freshwax.store.known_backups import traces
from freshwax.store.sql import queries
from freshwax.store.trouble import Identity, hopeless, identity, missing, need_same, readable, translated

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]

MEMORY = ":memory:"
# Milliseconds that SQLite waits for a lock without a break: Python hears a signal in between only.
_WAIT = 100
_HURRIED = 3  # so many waits are left to somebody who wants it to end
# STRICT tables.
OLDEST_SQLITE = (3, 37)


class Database:
    """Runs named queries. Every statement of the store goes through here, so errors are translated here, once."""

    def __init__(
        self, connection: sqlite3.Connection, path: str, opened: Identity | None = None, *, patience: float = 0.0
    ) -> None:
        self.path = path
        self._waits = int(patience * 1000 / _WAIT)
        self._opened = opened
        self._connection = connection
        self._closed = False
        self._queries = queries()

    def rows(self, name: str, values: Values = ()) -> list[Row]:
        """Return all rows of a query."""
        return self.rows_of(self._queries[name], values)

    def rows_of(self, sql: str, values: Values = ()) -> list[Row]:
        """Return all rows of a query that was put together from named pieces."""
        with translated(self.path, self._opened):
            return self._connection.execute(sql, values).fetchall()

    def each(self, name: str, values: Values = ()) -> Iterator[Row]:
        """Yield the rows of a query one by one."""
        with translated(self.path, self._opened):
            # Not "yield from": that would close the cursor of whoever stops in the middle, maybe after the connection.
            for row in self._connection.execute(self._queries[name], values):  # noqa: UP028
                yield row

    def row(self, name: str, values: Values = ()) -> Row | None:
        """Return the first row of a query, if any."""
        with translated(self.path, self._opened):
            found: Row | None = self._connection.execute(self._queries[name], values).fetchone()
            return found

    def run(self, name: str, values: Values = ()) -> int:
        """Run a statement; return the number of the row that it inserted, where it did."""
        with translated(self.path, self._opened):
            return self._connection.execute(self._queries[name], values).lastrowid or 0

    def run_many(self, name: str, values: Iterable[Values]) -> None:
        """Run a statement for each of many values."""
        with translated(self.path, self._opened):
            self._connection.executemany(self._queries[name], values)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock: everything in the block is committed at its end, or nothing."""
        if self._connection.in_transaction:
            raise RuntimeError("a write transaction is open already")
        self._take_lock()
        try:
            need_same(self.path, self._opened)  # else what is written now is read by nobody
            with readable(self.path, self._opened):
                yield
            self._control("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """See one state of the database in several queries, whatever others write meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        self._control("BEGIN")
        try:
            with readable(self.path, self._opened):
                yield
        finally:
            self._roll_back()

    def hurry(self) -> None:
        """See ``Store.hurry``."""
        self._waits = min(self._waits, _HURRIED)

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._closed = True
        with translated(self.path, self._opened):
            self._connection.close()

    @property
    def closed(self) -> bool:
        """Whether the connection was closed."""
        return self._closed

    def _take_lock(self) -> None:
        """Begin to write, as soon as nobody else does. It waits in small pieces: ``hurry`` may be called in between."""
        with translated(self.path, self._opened):
            patience = self._connection.execute("PRAGMA busy_timeout").fetchone()[0]
            self._connection.execute(f"PRAGMA busy_timeout = {min(_WAIT, patience)}")
            try:
                self._begin_at_last()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {patience}")

    def _begin_at_last(self) -> None:
        for waited in count(1):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited >= self._waits:
                    raise
            else:
                return

    def _control(self, statement: str) -> None:
        with translated(self.path, self._opened):
            self._connection.execute(statement)

    def _roll_back(self) -> None:
        # A full disk or an I/O error may have rolled it back already.
        if self._connection.in_transaction:
            self._control("ROLLBACK")


def open_database(
    path: str | Path, *, read_only: bool, patience: float, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> Database:
    """Open the file at ``path``, made or migrated where it may be written; wait ``patience`` seconds for locks."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: freshwax needs 3.37 or newer; update Python")
    name = str(path)
    if name == MEMORY:
        connection = sqlite3.connect(MEMORY, isolation_level=None)
        _make_ready(connection, name, read_only=False)
        return Database(connection, name)
    with translated(name):
        _look_at(Path(name), read_only=read_only)
    opened = identity(name)
    with translated(name, opened):
        connection = connect(Path(name), read_only=read_only, patience=patience, factory=factory)
        _make_ready(connection, name, opened, read_only=read_only)
    return Database(connection, name, opened, patience=patience)


def _make_ready(connection: sqlite3.Connection, path: str, opened: Identity | None = None, *, read_only: bool) -> None:
    try:
        if read_only:
            migrate.check(connection, path)
        else:
            migrate.migrate(connection, path)
            need_same(path, opened)  # else this would begin a log that another file takes for its own
            _set_up(connection)
    except BaseException:
        connection.close()
        raise


def _set_up(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _look_at(path: Path, *, read_only: bool) -> None:
    """Refuse what is no database of ours before SQLite touches it; make the empty file of a new one, private."""
    try:
        if path.is_dir():
            raise StoreError(f"{path} is a folder: give the path of a database file in it")
        refuse_loss(path)
        if not path.exists() or not path.stat().st_size:
            if read_only:
                raise missing(str(path))
            _make(path)
            return
        migrate.refuse_foreign_file(path)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(
            f"the database {path} cannot be used ({reason}): correct that, or give another path"
        ) from error


def refuse_loss(path: Path) -> None:
    """Raise StoreDamaged where a database was and nothing is now, so that no new one hides that it is gone."""
    if (not path.exists() or not path.stat().st_size) and traces(path):
        raise hopeless(str(path)) if path.exists() else missing(str(path))


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
