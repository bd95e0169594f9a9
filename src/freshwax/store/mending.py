"""Rows that freshwax cannot read: what is spoilt in them gives way to what other rows say, so that the rows stay."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from msgspec import Struct, json

from freshwax.store.readable import INSTANT, held_in, reads, unreadable, where_held
from freshwax.store.sql import queries


class Corrected(Struct, frozen=True):
    """How many rows of each table got other words, and how many had to go."""

    rows: Mapping[str, int]
    lost: Mapping[str, int]


def make_readable(file: Path) -> None:
    """Correct what cannot be read in a database that is no file of anybody's yet."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        correct(connection)
        connection.execute("COMMIT")


def correct(connection: sqlite3.Connection) -> Corrected:
    """Make every row readable, within the transaction of the caller; indexes and tables must agree."""
    found = list(unreadable(connection))
    if not found:
        return Corrected({}, {})
    connection.create_function("reads", 2, reads, deterministic=True)
    connection.create_function("is_text", 1, _is_text, deterministic=True)
    connection.create_function("as_text", 1, _as_text, deterministic=True)
    corrected: Counter[str] = Counter()
    for table, column in found:
        corrected[table] += _to_text(connection, table, column)
    # Last what quotes other rows.
    for table, column in sorted(unreadable(connection), key=lambda one: one == ("reports", "run")):
        about = "releases" if table == "credit_lists" else table  # which get others
        corrected[about] += _corrected(connection, table, column)
    lost: Counter[str] = Counter()
    for table, column in list(unreadable(connection)):
        lost[table] += _dropped(connection, table, column)
    return Corrected(+corrected, +lost)


def _to_text(connection: sqlite3.Connection, table: str, column: str) -> int:
    """Replace what is no text within text by the mark for that, U+FFFD; a channel by one that is read."""
    blob = f"CAST({column} AS BLOB)"
    text = f"({queries()['mend_channel']})" if column == "channel" else f"as_text({blob})"
    where = f"typeof({column}) = 'text' AND NOT is_text({blob})"
    return connection.execute(f"UPDATE OR IGNORE {table} SET {column} = {text} WHERE {where}").rowcount  # noqa: S608


def _corrected(connection: sqlite3.Connection, table: str, column: str) -> int:
    known = queries()
    if (table, column) == ("reports", "run"):
        return _runs_quoted_anew(connection)
    if statement := known.get(f"mend_{table}_{column}"):
        return connection.execute(statement).rowcount
    _, kind, not_null, key = _column(connection, table, column)
    what = held_in(table, column, kind)
    if what is None:
        return 0
    other = "NULL" if not (not_null or key) else f"({known['mend_instant']})" if what == INSTANT else None
    if other is None:
        return 0
    return connection.execute(f"UPDATE {table} SET {column} = {other} WHERE NOT reads('{what}', {column})").rowcount  # noqa: S608


def _runs_quoted_anew(connection: sqlite3.Connection) -> int:
    known = queries()
    found = connection.execute(known["mend_reports_unreadable"]).fetchall()
    changed = 0
    for report, run in found:
        cursor = connection.execute(known["mend_reports_run_of"], {"run_id": run})
        row = cursor.fetchone()
        if row is not None:
            values = dict(zip((column[0] for column in cursor.description), row, strict=True))
            put = {"id": report, "run": json.encode(values).decode()}
            changed += connection.execute(known["mend_reports_run"], put).rowcount
    return changed


def _dropped(connection: sqlite3.Connection, table: str, column: str) -> int:
    """Remove the rows of which nothing better is known."""
    blob = f"CAST({column} AS BLOB)"
    spoilt = f"typeof({column}) = 'text' AND NOT is_text({blob})"
    what = held_in(table, column, _column(connection, table, column)[1])
    if what is not None:
        spoilt = f"CASE WHEN {spoilt} THEN 1 ELSE NOT reads('{what}', {column}) END AND {where_held(table, column)}"
    return connection.execute(f"DELETE FROM {table} WHERE {spoilt}").rowcount  # noqa: S608 -- our names


def _column(connection: sqlite3.Connection, table: str, column: str) -> tuple[str, str, bool, bool]:
    """Return name, SQL type, whether it may not be empty, and whether it belongs to the key."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return next((name, kind, not_null, key) for _, name, kind, not_null, _, key in columns if name == column)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_text(data: bytes) -> str:
    return data.decode(errors="replace")
