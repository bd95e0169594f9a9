"""What a restored database takes over from the one before it: what the source and the reader remember anyway."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from freshwax.errors import StoreError
from freshwax.store import migrate
from freshwax.store.connecting import PATIENCE, connect
from freshwax.store.sql import queries
from freshwax.store.trouble import FAILURES

MEMORY = ":memory:"
_SINCE = 4  # the schema since which credits and addresses are stored as they are
_LATER_KEYS = 5  # the schema since which keys are kept that a release got later


def take_over(old: Path, draft: Path, *, sound: bool) -> bool:
    """Carry requests, cooldowns and the memory of what was told from a database into a backup of it.

    Requests and cooldowns where they can be read; the memory where the old one is ``sound`` and the backup of no newer
    schema. Returns whether that memory was carried over.
    """
    if not old.is_file() or not old.stat().st_size:
        return False
    with suppress(*FAILURES), closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        if sound:
            _bring_up(copy, old)
        copy.execute("ATTACH ? AS old", (str(old),))
        for name in ("take_over_requests", "take_over_cooldowns"):
            with suppress(*FAILURES):  # damaged, or of a schema in which these are kept otherwise
                copy.execute(queries()[name])
        versions = {copy.execute(f"PRAGMA {name}.user_version").fetchone()[0] for name in ("main", "old")}
        if sound and len(versions) == 1 and min(versions) >= _SINCE:
            _take_over_told(copy, later_keys=min(versions) >= _LATER_KEYS)
            return True
    return False


def _bring_up(copy: sqlite3.Connection, old: Path) -> None:
    """Bring a backup of an older schema to that of the database before it, as the next command would do anyway."""
    with closing(connect(old, read_only=True, patience=PATIENCE)) as other:
        (version,) = other.execute("PRAGMA user_version").fetchone()
    known = {number: file for number, file in migrate.migrations().items() if number <= version}
    if copy.execute("PRAGMA user_version").fetchone()[0] < max(known, default=0):
        with suppress(StoreError):
            migrate.migrate(copy, MEMORY, known)  # by this name no copy of it is made: the backup is one


def _take_over_told(copy: sqlite3.Connection, *, later_keys: bool) -> None:
    known = queries()
    copy.execute("BEGIN")
    try:
        for name in ("take_over_credits", "take_over_prefixes", "take_over_releases"):
            copy.execute(known[name])
        for (report,) in copy.execute(known["take_over_reports"]).fetchall():
            number = copy.execute(known["take_over_report"], (report,)).lastrowid
            copy.execute(known["take_over_told"], {"report": report, "number": number})
        for name in ("take_over_artists", "take_over_run", "take_over_decisions", "take_over_outbox"):
            copy.execute(known[name])
        if later_keys:
            copy.execute(known["take_over_later_keys"])
        copy.execute("COMMIT")
    except BaseException:
        copy.execute("ROLLBACK")
        raise
