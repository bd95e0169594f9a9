"""A connection of SQLite that can be told to fail: for the fault campaign, which breaks the machine under the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from freshwax.store.connecting import connect

REPORTING = "INSERT INTO reports"  # how the statement begins with which a report is fixed
_COUNT_FOR_A_WHILE = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT max(i) FROM n"
)


class FrailConnection(sqlite3.Connection):
    """As SQLite's own; ``before`` is told of each statement of the program, and may fail there."""

    before: Callable[[str], None] = staticmethod(lambda _: None)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """See ``sqlite3.Connection``."""
        self.before(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """See ``sqlite3.Connection``."""
        self.before(sql)
        return super().executemany(sql, parameters)

    def fill_disk(self) -> None:
        """Let the file grow no more."""
        (pages,) = super().execute("PRAGMA page_count").fetchone()
        super().execute(f"PRAGMA max_page_count = {pages}")

    def forbid_writing(self) -> None:
        """Let the file be read only."""
        super().execute("PRAGMA query_only = ON")

    def dawdle(self) -> None:
        """Take a millisecond or so."""
        super().execute(_COUNT_FOR_A_WHILE).fetchall()


def locked_by_another(path: Path) -> sqlite3.Connection:
    """Hold the write lock on a database, as another program would, until the connection is closed."""
    other = connect(path, read_only=False, patience=0)
    other.execute("BEGIN IMMEDIATE")
    return other
