"""Whether every row can be read as the program reads it: a flipped bit in a word is nothing to SQLite's own check."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from freshwax.model import ArtistState, RunStatus, Silence
from freshwax.store import rows
from freshwax.store.trouble import is_no_text

INSTANT = "instant"
# What a column holds, in tables of whatever schema version. What is not named here is a number, or text of any kind.
_HOLDS = {
    ("artists", "state"): "state",
    ("marks", "listing_group"): "group",
    ("credit_lists", "credits"): "credits",
    ("releases", "credits"): "credits",
    ("releases", "date_precision"): "precision",
    ("run_history", "mode"): "mode",
    ("run_history", "status"): "status",
    ("decisions", "listing_group"): "group",
    ("decisions", "kind"): "kind",
    ("decisions", "silence"): "silence",
    ("outbox", "kind"): "kind",
    ("reports", "mode"): "mode",
    ("reports", "run"): "run",
    ("reports", "notes"): "notes",
    ("report_lines", "kind"): "kind",
    ("told", "kind"): "kind",
}
_READ: Mapping[str, Callable[[Any], object]] = {
    INSTANT: rows.instant,
    "state": ArtistState,
    "group": rows.group,
    "credits": rows.credited,
    "precision": rows.precision,
    "mode": rows.mode,
    "status": RunStatus,
    "kind": rows.kind,
    "silence": Silence,
    "run": rows.run_of_snapshot,
    "notes": rows.notes,
}
_INSTANTS = ("at", "until", "since", "oldest_check")
_DATED = "release_date IS NOT NULL"  # else nobody looks at how precise that is


def unreadable(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield each table and column in which a row holds what freshwax cannot read. ``sqlite3.Error``: otherwise damaged.

    As far as it can be done, each value is looked at once, and not in each of a million rows.
    """
    for table, columns in _tables(connection).items():
        texts = [column for column, kind in columns.items() if kind not in {"INTEGER", "REAL"}]
        spoilt = set(_no_text(connection, table, texts)) if texts else ()
        for column, kind in columns.items():
            if column in spoilt or not _fits(connection, table, column, held_in(table, column, kind)):
                yield table, column


def reads(what: str, value: Any) -> bool:
    """Say whether a value is what it should be (see ``held_in``); nothing always is, but for a precision."""
    if value is None and what != "precision":
        return True
    try:
        _READ[what](value)
    except (ValueError, rows.Unreadable):
        return False
    return True


def held_in(table: str, column: str, kind: str) -> str | None:
    """Return what a column of an SQL type holds: a word for ``reads``; None: anything."""
    if kind == "INTEGER" and (column in _INSTANTS or column.endswith("_at")):
        return INSTANT
    return _HOLDS.get((table, column))


def where_held(table: str, column: str) -> str:
    """Return the condition under which anybody reads a column."""
    return _DATED if (table, column) == ("releases", "date_precision") else "true"


def _tables(connection: sqlite3.Connection) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (table,) in names.fetchall():
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        found[table] = {name: kind for _, name, kind, *_ in columns}
    return found


def _no_text(connection: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[str]:
    """Yield the columns in which there is text that is none."""
    try:
        deque(connection.execute(f"SELECT {', '.join(columns)} FROM {table}"), maxlen=0)  # noqa: S608 -- our names
    except sqlite3.Error as error:
        if not is_no_text(error):
            raise
        if len(columns) == 1:
            yield columns[0]
        else:
            for column in columns:
                yield from _no_text(connection, table, [column])


def _fits(connection: sqlite3.Connection, table: str, column: str, what: str | None) -> bool:
    if what is None:
        return True
    held = where_held(table, column)
    if what == INSTANT:
        values = connection.execute(f"SELECT min({column}), max({column}) FROM {table}").fetchone()  # noqa: S608
        return all(map(partial(reads, what), values))
    values = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {held}")  # noqa: S608 -- our names
    return all(reads(what, value) for (value,) in values)
