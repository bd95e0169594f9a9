"""What is dropped when it is old, in SQLite."""

from __future__ import annotations

from datetime import datetime

from freshwax.store import rows
from freshwax.store.base import Pruned
from freshwax.store.sqlite_part import Part


class Pruning(Part):
    """Old outcomes, old requests, the details of old releases."""

    def prune(self, *, checks_before: datetime, releases_before: datetime | None, most: int) -> Pruned:
        """See ``Store.prune``."""
        with self._writing():
            dropped = self._drop_rows("prune_checks", checks_before, most)
            dropped += self._drop_rows("prune_requests", checks_before, most - dropped)
            left = most - dropped
            forgotten = self._drop_details(releases_before, left) if releases_before is not None and left else 0
        return Pruned(dropped, forgotten)

    def has_forgotten(self) -> bool:
        """See ``Store.has_forgotten``."""
        return self._db.row("any_forgotten") is not None

    def _drop_rows(self, statement: str, before: datetime, most: int) -> int:
        self._db.run(statement, (rows.stamp(before), most))
        ((dropped,),) = self._db.rows("rows_changed")
        return int(dropped)

    def _drop_details(self, before: datetime, most: int) -> int:
        values = {"before": rows.stamp(before), "day": before.date().isoformat(), "most": most}
        found = self._db.rows("releases_to_forget", values)
        releases = [(release,) for release, _ in found]
        self._db.run_many("release_forget", releases)
        self._db.run_many("history_forget", releases)
        self._db.run_many("credits_drop", {(credits_,) for _, credits_ in found})
        return len(found)
