"""Rows out of a damaged database: every table is read from both ends and from the middle, around what is spoilt."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshwax.store import migrate
from freshwax.store.sql import queries

Row = tuple[Any, ...]

PATIENCE = 10_000  # pieces of a table that may fail before the rest of it is given up
FURTHEST = 1 << 22  # the highest key that is tried where the database cannot say
_PROBES = tuple(1 << power for power in range(23))


class Saved(Struct, frozen=True):
    """How many rows of a table came through, and how many there were (None: nobody knows)."""

    table: str
    rows: int
    of: int | None

    @property
    def whole(self) -> bool:
        """Whether all came through."""
        return self.rows == self.of


def salvage(damaged: Path, fresh: Path) -> list[Saved]:
    """Move what can be read of a database into an empty file, with the schema of its version; say what came through.

    References may dangle afterwards. ``sqlite3.Error`` where not even the first page of it can be read.
    """
    with closing(_reader(damaged)) as old, closing(sqlite3.connect(fresh, isolation_level=None)) as new:
        version = migrate.version_of(old, str(damaged))
        migrate.migrate(new, str(fresh), {n: file for n, file in migrate.migrations().items() if n <= version})
        new.execute("BEGIN")
        saved = [_move(old, new, name, rowid=not wr) for name, wr in new.execute(queries()["repair_tables"]).fetchall()]
        with suppress(sqlite3.Error):  # the numbers that AUTOINCREMENT gave; else it goes on from the highest
            for name, number in old.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
                new.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name))
        new.execute("COMMIT")
    return saved


def _reader(damaged: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    # Lets SQLite open a file that is shorter than it says of itself.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def _move(old: sqlite3.Connection, new: sqlite3.Connection, table: str, *, rowid: bool) -> Saved:
    columns = [(name, kind, key) for _, name, kind, _, _, key in new.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(name for name, _, _ in columns)
    keys = [(name, kind) for name, kind, key in sorted(columns, key=lambda one: one[2]) if key]
    first, kind = ("rowid", "INTEGER") if rowid else keys[0]
    order = "rowid" if rowid else ", ".join(name for name, _ in keys)
    reading = _Reading(old, f"SELECT {names} FROM {table} NOT INDEXED", first, order, table)  # noqa: S608 -- our names
    marks = ", ".join("?" * len(columns))
    write = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 -- our names
    for row in reading.rows(by_number=kind == "INTEGER"):
        with suppress(sqlite3.Error):  # a row that the schema would never have taken
            new.execute(write, row)
    (there,) = new.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 -- our names
    return Saved(table, there, reading.expected(there))


class _Reading:
    """One table of a damaged database. Rows may come more than once."""

    def __init__(self, old: sqlite3.Connection, select: str, key: str, order: str, table: str) -> None:
        self._old = old
        self._select = select
        self._key = key
        self._order = order
        self._table = table
        self._damaged = False

    def rows(self, *, by_number: bool) -> Iterator[Row]:
        """Yield what can be read."""
        yield from self._run("")
        if not self._damaged:
            return
        if not by_number:
            yield from self._run("", backwards=True)
            return
        if not any(map(self._reaches, _PROBES)):
            return  # the root of the table is lost: no way leads to any row
        pieces, failures = [self._bounds()], 0
        while pieces and failures < PATIENCE:
            low, high = pieces.pop()
            self._damaged = False
            yield from self._run(f" WHERE {self._key} BETWEEN {low} AND {high}")
            if not self._damaged:
                continue
            failures += 1
            if low < high:
                middle = (low + high) // 2
                pieces += [(middle + 1, high), (low, middle)]
            else:
                yield from self._run(f" WHERE {self._key} = {low}", backwards=True)
        self._damaged = True

    def expected(self, saved: int) -> int | None:
        """Return how many rows there were: an index that is whole may know where the table does not."""
        if not self._damaged:
            return saved
        try:
            return int(self._one(f"SELECT count(*) FROM {self._table}"))  # noqa: S608 -- our name
        except sqlite3.Error:
            return None

    def _run(self, where: str, *, backwards: bool = False) -> Iterator[Row]:
        order = self._order.replace(",", " DESC,") + " DESC" if backwards else self._order
        try:
            yield from self._old.execute(f"{self._select}{where} ORDER BY {order}")
        except sqlite3.Error:
            self._damaged = True

    def _reaches(self, key: int) -> bool:
        """Say whether SQLite finds its way to where a key stands, or would stand."""
        try:
            self._old.execute(f"{self._select} WHERE {self._key} = {key}").fetchone()
        except sqlite3.Error:
            return False
        return True

    def _bounds(self) -> tuple[int, int]:
        ends = []
        for function, otherwise in (("min", 0), ("max", FURTHEST)):
            try:
                ends.append(int(self._one(f"SELECT {function}({self._key}) FROM {self._table} NOT INDEXED")))  # noqa: S608
            except (sqlite3.Error, TypeError):
                ends.append(otherwise)
        return ends[0], max(ends)

    def _one(self, query: str) -> Any:
        return self._old.execute(query).fetchone()[0]
