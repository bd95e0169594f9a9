"""Who the artists and releases of a damaged database are, where a table and its index say different things."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct

from freshwax.store.sql import queries
from freshwax.store.trouble import FAILURES

MOST = 100  # rows of a table; where there are more, it is no flipped bit, and the index is built anew
_TABLES = ("artists", "releases")


class Otherwise(Struct, frozen=True):
    """The source and the source's ID of a row as its index has them, and as its table has them."""

    table: str
    key: int
    source: bytes
    source_id: bytes
    own_source: bytes
    own_source_id: bytes


def known_to_index(file: Path) -> list[Otherwise]:
    """Return the rows to which an index gives another identity than their table; none where it cannot be read."""
    found: list[Otherwise] = []
    with closing(sqlite3.connect(file)) as connection:
        for table in _TABLES:
            try:
                rows = connection.execute(queries()[f"identities_{table}"]).fetchmany(MOST + 1)
            except FAILURES:
                continue
            if len(rows) <= MOST:
                found += [Otherwise(table, *row) for row in rows if _is_text(*row[1:3])]
    return found


def keep_both(connection: sqlite3.Connection, found: Sequence[Otherwise]) -> Mapping[str, int]:
    """Give rows without an identity that of the index; where there are two, nobody knows which is right: keep both.

    A release gets a twin of the other ID, so that neither looks new; an artist is followed under both. Returns how many
    rows of each table it was.
    """
    known, changed = queries(), Counter[str]()
    for one in found:
        values = {"id": one.key, "source": one.source.decode(), "source_id": one.source_id.decode()}
        if not _is_text(one.own_source, one.own_source_id):
            number = connection.execute(known[f"identity_put_{one.table}"], values).rowcount
        else:
            cursor = connection.execute(known[f"identity_twin_{one.table}"], values)
            number = cursor.rowcount
            if number and one.table == "releases":
                connection.execute(known["identity_twin_decisions"], {"id": one.key, "twin": cursor.lastrowid})
        changed[one.table] += number
    return +changed


def _is_text(*words: bytes) -> bool:
    try:
        b" ".join(words).decode()
    except UnicodeDecodeError:
        return False
    return True
