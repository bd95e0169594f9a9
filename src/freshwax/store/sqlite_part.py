"""What the topics of the SQLite store share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from freshwax.model import Ref
from freshwax.store import rows
from freshwax.store.database import Database


class Part:
    """One topic of the store, on a shared connection."""

    def __init__(self, db: Database) -> None:
        self._db = db
        # Ends of requests that no write has carried along yet: (status, bytes, number).
        self._settled: list[tuple[int, int, int]] = []

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Open a write transaction; the ends of requests go along with it."""
        carried = len(self._settled)
        with self._db.writing():
            if carried:
                self._db.run_many("request_settle", self._settled[:carried])
            yield
        del self._settled[:carried]

    def _flush(self) -> None:
        if self._settled:
            with self._writing():
                pass


def need_run(db: Database, run_id: int) -> None:
    """Raise KeyError unless there is such a run."""
    if db.row("run_exists", (run_id,)) is None:
        raise KeyError(run_id)


def unknown(db: Database, ref: Ref) -> Exception:
    """Return what to raise where an artist was not found: one that is there, but not by its index, means damage."""
    hidden = db.row("artist_is_hidden", ref) == (1,)
    return rows.Unreadable(f"no index leads to {ref}") if hidden else KeyError(ref)


def artist_key(db: Database, ref: Ref) -> int:
    """Return the key of an artist's row. KeyError if it was never watched."""
    found = db.row("artist_id", ref)
    if found is None:
        raise unknown(db, ref)
    return int(found[0])


def release_key(db: Database, ref: Ref) -> int:
    """Return the key of a release's row. KeyError if it was never stored."""
    found = db.row("release_key", ref)
    if found is None:
        raise KeyError(ref)
    return int(found[0])
