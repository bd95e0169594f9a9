"""Mending a damaged database: always in a copy, which takes its place only once it is sound."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, json
from msgspec.structs import replace

from freshwax.store import migrate, rows
from freshwax.store.backup import Contents, contents_of, flaws, refuse_unusable, unsound
from freshwax.store.connecting import connect
from freshwax.store.copying import draft_beside
from freshwax.store.identities import Otherwise, keep_both, known_to_index
from freshwax.store.mending import correct
from freshwax.store.salvage import Saved, salvage
from freshwax.store.sql import queries
from freshwax.store.swap import Alone, alone, free_name
from freshwax.store.tables import mend_tables
from freshwax.store.trouble import FAILURES, hopeless, is_damage, translated

BEYOND = "is damaged, and nothing of it can be saved"
# What is corrected without a word: nothing that anybody could miss.
_QUIETLY = ("repair_learnt", "repair_report_lines", "repair_decisions_announced", "repair_outbox_artists")


class Repaired(Struct, frozen=True):
    """What was wrong, and what was done about it.

    ``saved``: the tables, where rows had to be fetched one by one, and what of them is there now; ``mended``: what was
    made anew, and how many of them; ``corrected``: rows in which something that cannot be read gave way to what other
    rows say; ``lost``: otherwise, rows that had to go, by table; ``kept``: where the database as it was lies (None: it
    was sound, and nothing was changed).
    """

    contents: Contents
    problems: tuple[str, ...] = ()
    saved: tuple[Saved, ...] = ()
    mended: dict[str, int] = {}
    corrected: dict[str, int] = {}
    lost: dict[str, int] = {}
    kept: Path | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing was lost, as far as can be known."""
        return not self.lost and not self.corrected and all(table.whole for table in self.saved)


class _Mended(Struct, frozen=True):
    anew: dict[str, int]
    corrected: dict[str, int]
    lost: dict[str, int]


def repair(database: Path, now: datetime) -> Repaired:
    """Mend what can be mended; the database as it was is kept under another name.

    First the indexes are built anew and references mended. Where that does not make it sound, every row that can be
    read moves into a fresh database. Nobody writes meanwhile: what was committed before is in it, and who comes later
    waits. The caller holds the run lock. StoreError: nothing can be saved; StoreLocked: others use the database.
    """
    refuse_unusable(database)
    real = Path(os.path.realpath(database))
    with translated(str(database)):
        problems = flaws(real)
        if not problems:
            _fold_log(real)
            return Repaired(contents_of(real))
    with draft_beside(real, now) as draft, alone(real) as held:
        mended = _reindexed(held, draft, now)
        saved: list[Saved] = []
        if mended is None:
            draft.write_bytes(b"")
            saved = _salvaged(database, draft, settled=held.settled)
            mended = _mend(draft, {one.table for one in saved if not one.whole}, now)
            saved, mended = [_less(one, mended.lost) for one in saved], replace(mended, lost={})
        if flaws(draft):
            raise hopeless(str(database), BEYOND)
        contents = contents_of(draft)
        kept = free_name(real, "before-repair", now)
        held.give_way(draft, kept)
    return Repaired(contents, tuple(problems), tuple(saved), mended.anew, mended.corrected, mended.lost, kept)


def _fold_log(database: Path) -> None:
    with closing(connect(database, read_only=False, patience=0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _less(saved: Saved, lost: Mapping[str, int]) -> Saved:
    """Leave out what was read and then had to go."""
    return replace(saved, rows=max(saved.rows - lost.get(saved.table, 0), 0))


def _reindexed(damaged: Alone, draft: Path, now: datetime) -> _Mended | None:
    """Copy a database, build its indexes anew and mend its references; None where that is not enough."""
    try:
        damaged.copy_to(draft)
        mend_tables(draft)
        otherwise = known_to_index(draft)
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("REINDEX")
        return None if unsound(draft) else _mend(draft, (), now, otherwise)
    except FAILURES:
        return None


def _salvaged(database: Path, draft: Path, *, settled: bool) -> list[Saved]:
    try:
        saved = salvage(database, draft, settled=settled)
    except FAILURES as error:
        if is_damage(error):
            raise hopeless(str(database), BEYOND) from error
        with translated(str(database)):
            raise
    if not any(table.rows for table in saved):
        raise hopeless(str(database), BEYOND)
    return saved


def _mend(draft: Path, damaged_tables: Collection[str], now: datetime, otherwise: Sequence[Otherwise] = ()) -> _Mended:
    """Correct what cannot be read, make anew what other rows speak of, and let go what speaks of rows that are lost."""
    known = queries()
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        identities = keep_both(connection, otherwise)
        corrected = correct(connection)
        anew = {"runs": connection.execute(known["repair_runs"]).rowcount, "reports": _reports_anew(connection)}
        anew["lines told"] = connection.execute(known["repair_told"]).rowcount
        for name in _QUIETLY:
            connection.execute(known[name])
        lost = Counter(corrected.lost) + Counter(_let_go(connection))
        if "outbox" in damaged_tables:
            values = {"told_lost": "told" in damaged_tables and bool({"reports", "report_lines"} & set(damaged_tables))}
            anew["lines to tell"] = connection.execute(known["repair_outbox"], values).rowcount
        if "requests" in damaged_tables:
            since = rows.stamp(now - timedelta(days=1))
            anew["requests sent"] = max(connection.execute(known["repair_requests"], {"since": since}).rowcount, 0)
        anew["decisions"] = connection.execute(known["repair_decisions"]).rowcount
        _details_anew(connection)
        connection.execute("COMMIT")
    return _Mended(
        {what: number for what, number in anew.items() if number}, Counter(identities) + Counter(corrected.rows), lost
    )


def _reports_anew(connection: sqlite3.Connection) -> int:
    cursor = connection.execute(queries()["repair_last_run"])
    run = cursor.fetchone()
    if run is None:
        return 0
    values = dict(zip((column[0] for column in cursor.description), run, strict=True))
    snapshot = {"run_id": run[0], "run": json.encode(values).decode()}
    return connection.execute(queries()["repair_reports"], snapshot).rowcount


def _let_go(connection: sqlite3.Connection) -> dict[str, int]:
    """Empty references that lead nowhere, or remove their rows where they may not be empty, until none is left.

    Returns how many rows were removed, by table.
    """
    gone: dict[str, int] = {}
    while loose := {(row[0], row[3]) for row in connection.execute(migrate.LOOSE)}:
        for table, number in sorted(loose):
            keys = connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
            parent, column, target = next(key[2:5] for key in keys if key[0] == number)
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            needed = any(name == column and (not_null or key) for _, name, _, not_null, _, key in columns)
            change = f"DELETE FROM {table}" if needed else f"UPDATE {table} SET {column} = NULL"  # noqa: S608 -- our names
            where = f"{column} IS NOT NULL AND {column} NOT IN (SELECT {target or 'rowid'} FROM {parent})"  # noqa: S608
            changed = connection.execute(f"{change} WHERE {where}").rowcount
            if needed:
                gone[table] = gone.get(table, 0) + changed
    return gone


def _details_anew(connection: sqlite3.Connection) -> None:
    """Give releases what a line needs until they are listed again: an address, an artist for whom they were decided."""
    (shared,) = connection.execute(queries()["repair_shares_credits"]).fetchone()
    if shared:
        for name in ("repair_waiting", "repair_addresses", "repair_credit_lists", "repair_credits"):
            connection.execute(queries()[name])
