"""What a restored database takes over from the one before it: what the source and the reader remember anyway."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from freshwax.store.sql import queries

_SINCE = 4  # the schema since which credits and addresses are stored as they are


def take_over(old: Path, draft: Path, *, sound: bool) -> bool:
    """Carry requests, cooldowns and the memory of what was told from a database into a backup of it.

    Requests and cooldowns where they can be read; the memory where the old one is ``sound`` and of the same schema.
    Returns whether that memory was carried over.
    """
    if not old.is_file() or not old.stat().st_size:
        return False
    with suppress(sqlite3.Error), closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        copy.execute("ATTACH ? AS old", (str(old),))
        for name in ("take_over_requests", "take_over_cooldowns"):
            with suppress(sqlite3.Error):  # damaged, or of a schema in which these are kept otherwise
                copy.execute(queries()[name])
        versions = {copy.execute(f"PRAGMA {name}.user_version").fetchone()[0] for name in ("main", "old")}
        if sound and len(versions) == 1 and min(versions) >= _SINCE:
            _take_over_told(copy)
            return True
    return False


def _take_over_told(copy: sqlite3.Connection) -> None:
    known = queries()
    copy.execute("BEGIN")
    try:
        for name in ("take_over_credits", "take_over_prefixes", "take_over_releases"):
            copy.execute(known[name])
        for (report,) in copy.execute(known["take_over_reports"]).fetchall():
            number = copy.execute(known["take_over_report"], (report,)).lastrowid
            copy.execute(known["take_over_told"], {"report": report, "number": number})
        for name in ("take_over_decisions", "take_over_outbox"):
            copy.execute(known[name])
        copy.execute("COMMIT")
    except BaseException:
        copy.execute("ROLLBACK")
        raise
