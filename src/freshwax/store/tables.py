"""The list of tables that a database begins with: compared to what its version has, and written anew where spoilt."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

from freshwax.store import migrate
from freshwax.store.sql import queries
from freshwax.store.trouble import FAILURES, is_damage

Entry = tuple[Any, ...]
ALIKE = 0.9  # of the letters of a statement: a few flipped bits


def lacking(connection: sqlite3.Connection) -> list[str]:
    """Return the tables of which a column is not there that the version of the database has."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    there = set(connection.execute(queries()["columns"]))
    return sorted({table for table, *_ in _columns(version) - there})


def mend_tables(file: Path) -> None:
    """Write statements of the list anew that cannot be read, or make other tables than they should; none is added.

    One of ``FAILURES`` where that cannot be done.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        if not _is_spoilt(connection):
            return
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.text_factory = lambda data: data.decode(errors="replace")
        connection.execute("PRAGMA writable_schema = ON")  # has SQLite open it whatever the list says
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        found = connection.execute(queries()["schema_rows"]).fetchall()
        left = [entry for entry in _entries(version) if entry not in {row[1:] for row in found}]
        for number, *spoilt in (row for row in found if row[1:] not in _entries(version)):
            best = max(left, key=lambda entry: _alike(entry, spoilt), default=None)
            if best and _alike(best, spoilt) >= ALIKE:
                connection.execute(queries()["schema_row_put"], (*best, number))
                left.remove(best)


def _is_spoilt(connection: sqlite3.Connection) -> bool:
    try:
        return bool(lacking(connection))
    except FAILURES as error:
        if not is_damage(error):
            raise
        return True


def _alike(entry: Entry, other: Entry | list[Any]) -> float:
    one, two = (" ".join(word or "" for word in words) for words in (entry, other))
    return SequenceMatcher(None, one, two, autojunk=False).ratio()


@cache
def _entries(version: int) -> frozenset[Entry]:
    with closing(_model(version)) as model:
        return frozenset(row[1:] for row in model.execute(queries()["schema_rows"]))


@cache
def _columns(version: int) -> frozenset[Entry]:
    with closing(_model(version)) as model:
        return frozenset(model.execute(queries()["columns"]))


def _model(version: int) -> sqlite3.Connection:
    """Return an empty database of a version; of none where freshwax does not know it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    known = {number: file for number, file in migrate.migrations().items() if number <= version}
    if version in known:
        migrate.migrate(connection, ":memory:", known)
    return connection
