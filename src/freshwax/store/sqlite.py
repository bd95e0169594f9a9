"""The store in one SQLite file: a topic a module, put together here."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from freshwax.errors import StoreError
from freshwax.store.connecting import PATIENCE
from freshwax.store.database import open_database
from freshwax.store.sqlite_browse import Browsing
from freshwax.store.sqlite_checks import Checks
from freshwax.store.sqlite_history import Dates
from freshwax.store.sqlite_pruning import Pruning
from freshwax.store.sqlite_runs import Runs
from freshwax.store.sqlite_telling import TellingPart
from freshwax.store.sqlite_watch import WatchList


class SQLiteStore(WatchList, Dates, Checks, Runs, TellingPart, Browsing, Pruning):
    """Implements ``store.base.Store`` on SQLite. One connection; used by the thread that opened it."""

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        read_only: bool = False,
        patience: float = PATIENCE,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> SQLiteStore:
        """Open the database at ``path``; a new one is made (readable by its owner only), an old one is migrated.

        ``patience``: seconds to wait for another program's lock before ``StoreLocked``. A ``read_only`` store makes
        and changes nothing, needs no lock, and sees what a run has committed so far. ``factory``: the
        class of the connection.
        """
        return cls(open_database(path, read_only=read_only, patience=patience, factory=factory))

    def hurry(self) -> None:
        """See ``Store.hurry``."""
        self._db.hurry()

    def close(self) -> None:
        """Release the database. Idempotent."""
        if self._db.closed:
            return
        # What is lost when a locked or full disk refuses this are the sizes of the last few answers, no more.
        with suppress(StoreError):
            self._flush()
        self._db.close()
