"""Rows out of a damaged database: every table is read from both ends and from the middle, around what is spoilt."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from freshwax.store import migrate
from freshwax.store.sql import queries
from freshwax.store.trouble import FAILURES

Row = tuple[Any, ...]

PATIENCE = 10_000  # pieces of a table that may fail before the rest of it is given up
WITHIN = 100  # the same, for the rows that share the first value of their key
FURTHEST = 1 << 22  # the highest key that is tried where the database cannot say
_PROBES = tuple(1 << power for power in range(23))
_FORGETS = 4  # the schema since which a release may be without details
# What tells the rows of a table from each other stands in an index, too; so does a little else of them.
_NAMES: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "artists": ("sqlite_autoindex_artists_1", {}),
    "releases": (
        "sqlite_autoindex_releases_1",
        {"date": ("releases_by_date", "release_date"), "seen": ("releases_by_first_sight", "first_seen_at")},
    ),
}


class Saved(Struct, frozen=True):
    """How many rows of a table came through, and how many there were (None: nobody knows).

    ``named``: of how many more an index kept what they are called, so that what refers to them stays, too.
    """

    table: str
    rows: int
    of: int | None
    named: int = 0

    @property
    def whole(self) -> bool:
        """Whether all came through."""
        return self.rows == self.of


def salvage(damaged: Path, fresh: Path, *, settled: bool = False) -> list[Saved]:
    """Move what can be read of a database into an empty file, with the schema of its version; say what came through.

    ``settled``: the caller holds its lock, and it has no log. References may dangle afterwards. One of ``FAILURES``
    where not even the first page of it can be read.
    """
    with (
        closing(_reader(damaged, settled=settled)) as old,
        closing(sqlite3.connect(fresh, isolation_level=None)) as new,
    ):
        version = migrate.version_of(old, str(damaged))
        migrate.migrate(new, str(fresh), {n: file for n, file in migrate.migrations().items() if n <= version})
        new.execute("BEGIN")
        saved = [_move(old, new, name, rowid=not wr) for name, wr in new.execute(queries()["repair_tables"]).fetchall()]
        saved = [one if one.whole or one.table not in _NAMES else _named(old, new, one, version) for one in saved]
        with suppress(*FAILURES):  # the numbers that AUTOINCREMENT gave; else it goes on from the highest
            for name, number in old.execute("SELECT name, seq FROM sqlite_sequence").fetchall():
                new.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name))
        new.execute("COMMIT")
    return saved


def _reader(damaged: Path, *, settled: bool) -> sqlite3.Connection:
    how = "immutable=1" if settled else "mode=rw"
    connection = sqlite3.connect(f"{damaged.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    # Lets SQLite open a file that is shorter than it says of itself.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def _move(old: sqlite3.Connection, new: sqlite3.Connection, table: str, *, rowid: bool) -> Saved:
    columns = [(name, kind, key) for _, name, kind, _, _, key in new.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(name for name, _, _ in columns)
    keys = [(name, kind == "INTEGER") for name, kind, key in sorted(columns, key=lambda one: one[2]) if key]
    reading = _Reading(old, table, names, [("rowid", True)] if rowid else keys)
    marks = ", ".join("?" * len(columns))
    write = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 -- our names
    for row in reading.rows():
        with suppress(*FAILURES):  # a row that the schema would never have taken
            new.execute(write, row)
    (there,) = new.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 -- our names
    return Saved(table, there, reading.expected(there))


def _named(old: sqlite3.Connection, new: sqlite3.Connection, saved: Saved, version: int) -> Saved:
    """Add the rows of which an index alone speaks: with their IDs, and without what only the table knew."""
    index, more = _NAMES[saved.table]
    there = {key for (key,) in new.execute(f"SELECT id FROM {saved.table}")}  # noqa: S608 -- our names
    lost = {row[-1]: row[:-1] for row in _identities(old, new, saved.table, index) if row[-1] not in there}
    facts: dict[str, dict[int, Any]] = {
        fact: {key: value for value, key in _values(old, saved.table, by, column) if key in lost}
        for fact, (by, column) in more.items()
    }
    early = "_early" if saved.table == "releases" and version < _FORGETS else ""
    forgets = version >= _FORGETS and new.execute(queries()["repair_forgets"]).fetchone()[0]
    named = 0
    for key, (source, source_id) in lost.items():
        values = {"id": key, "source": source, "source_id": source_id, "forgets": forgets}
        values |= {fact: known.get(key) for fact, known in facts.items()}
        with suppress(*FAILURES):  # an index may be damaged, too
            named += new.execute(queries()[f"repair_named_{saved.table}{early}"], values).rowcount
    return Saved(saved.table, saved.rows, saved.of, named)


def _identities(old: sqlite3.Connection, new: sqlite3.Connection, table: str, index: str) -> Iterator[Row]:
    """Yield source, source's ID and key of the rows that an index knows, without a look at its table.

    Where it is damaged, too, reading goes on at the next row that came through.
    """
    query = f"SELECT source, source_id, rowid FROM {table} INDEXED BY {index} WHERE (source, source_id) {{}} (?, ?) "  # noqa: S608
    query += "ORDER BY source, source_id {}"
    at: Row = ("", "", 0)
    for _ in range(PATIENCE):
        try:
            for row in old.execute(query.format(">=", ""), at[:2]):
                at = row
                yield row
        except FAILURES:
            found = new.execute(query.format(">", "LIMIT 1"), at[:2]).fetchone()
        else:
            return
        if found is None:
            break
        at = found
    yield from _values(old, table, index, "source, source_id")


def _values(old: sqlite3.Connection, table: str, index: str, columns: str) -> Iterator[Row]:
    """Yield what an index says of the rows of its table, and their keys, as far as it can be read from both ends."""
    found = old.execute("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchone()
    within = (found[0] or "").partition(" WHERE ")[2] if found else ""
    for order in ("", " DESC"):
        by = ", ".join(f"{column}{order}" for column in columns.split(", "))
        query = f"SELECT {columns}, rowid FROM {table} INDEXED BY {index} WHERE {within or 'true'} ORDER BY {by}"  # noqa: S608
        try:
            yield from old.execute(query)
        except FAILURES:
            continue
        return


class _Reading:
    """One table of a damaged database. Rows may come more than once."""

    def __init__(self, old: sqlite3.Connection, table: str, names: str, keys: Sequence[tuple[str, bool]]) -> None:
        self._old = old
        self._table = table
        self._keys = keys  # and whether each is a number
        self._select = f"SELECT {', '.join(name for name, _ in keys)}, {names} FROM {table} NOT INDEXED"  # noqa: S608
        self._met: list[set[Any]] = [set() for _ in keys]  # what these were in the rows that could be read
        self._damaged = False

    def rows(self) -> Iterator[Row]:
        """Yield what can be read."""
        first = yield from self._run(())
        if not self._damaged:
            return
        last = yield from self._run((), backwards=True)
        if first is last is None and (not self._keys[0][1] or not any(map(self._reaches, _PROBES))):
            return  # the root of the table is lost: no way leads to any row
        yield from self._between((), first, last, PATIENCE)
        self._damaged = True

    def expected(self, saved: int) -> int | None:
        """Return how many rows there were: an index that is whole may know where the table does not."""
        if not self._damaged:
            return saved
        try:
            return int(self._one(f"SELECT count(*) FROM {self._table}"))  # noqa: S608 -- our name
        except FAILURES:
            return None

    def _between(self, fixed: Row, first: Any, last: Any, patience: int) -> Iterator[Row]:
        """Yield rows that have these first values of their key, from between two places where reading stopped."""
        deeper = len(fixed) + 1 < len(self._keys)
        if not self._keys[len(fixed)][1]:
            # Words cannot be halved; those that stand in other rows may stand in lost ones.
            for word in sorted(self._met[len(fixed)]) if deeper else ():
                yield from self._within((*fixed, word))
            return
        pieces, failures = deque([self._bounds(fixed, first, last)]), 0
        while pieces and failures < patience:  # the widest first: what is lost may be wide
            low, high = pieces.popleft()
            self._damaged = False
            first = yield from self._run(fixed, low, high)
            if not self._damaged:
                continue
            failures += 1
            last = yield from self._run(fixed, low, high, backwards=True)
            low, high = (low if first is None else first), (high if last is None else last)
            if low < high:
                middle = (low + high) // 2
                pieces += [(low, middle), (middle + 1, high)]
            elif deeper:
                yield from self._within((*fixed, low))

    def _within(self, fixed: Row) -> Iterator[Row]:
        self._damaged = False
        first = yield from self._run(fixed)
        if self._damaged:
            last = yield from self._run(fixed, backwards=True)
            yield from self._between(fixed, first, last, WITHIN)

    def _bounds(self, fixed: Row, first: Any, last: Any) -> tuple[int, int]:
        depth = len(fixed)
        low = 0 if first is None else first
        if last is None and not fixed:
            with suppress(*FAILURES, TypeError):  # by way of any index
                last = int(self._one(f"SELECT max(+{self._keys[0][0]}) FROM {self._table}"))  # noqa: S608 -- our names
        elif last is None:
            last = max(self._met[depth], default=None)
        return low, max(low, FURTHEST if last is None else last)

    def _run(
        self, fixed: Row, low: int | None = None, high: int | None = None, *, backwards: bool = False
    ) -> Generator[Row, None, Any]:
        """Yield rows in the order of their keys, or against it; return where that ended, None where at once."""
        depth, down = len(fixed), " DESC" if backwards else ""
        tests = [f"{name} = ?" for name, _ in self._keys[:depth]]
        tests += [] if low is None else [f"{self._keys[depth][0]} BETWEEN {low} AND {high}"]
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        order = ", ".join(f"{name}{down}" for name, _ in self._keys)
        reached = None
        try:
            for row in self._old.execute(f"{self._select}{where} ORDER BY {order}", fixed):
                reached = row[depth]
                if len(self._keys) > 1:
                    for met, value in zip(self._met, row, strict=False):
                        met.add(value)
                yield row[len(self._keys) :]
        except FAILURES:
            self._damaged = True
        return reached

    def _reaches(self, key: int) -> bool:
        """Say whether SQLite finds its way to where a key stands, or would stand."""
        try:
            self._old.execute(f"{self._select} WHERE {self._keys[0][0]} = {key}").fetchone()
        except FAILURES:
            return False
        return True

    def _one(self, query: str) -> Any:
        return self._old.execute(query).fetchone()[0]
