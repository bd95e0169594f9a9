"""Runs, the request ledger, cooldowns and settings, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from freshwax.model import Mode, Run
from freshwax.quota import Cooldown, Limit
from freshwax.store import rows
from freshwax.store.ahead import Ahead
from freshwax.store.facts import KILLED
from freshwax.store.sqlite_part import Part, need_run


class Runs(Part, Ahead):
    """Runs and what they ask of the sources."""

    def start_run(self, mode: Mode, market: str, now: datetime) -> Run:
        """See ``Store.start_run``."""
        with self._writing():
            self._db.run("runs_bury", (KILLED,))
            number = self._db.run("run_add", (mode.value, market, rows.stamp(now)))
            row = self._db.row("run", (number,))
        return rows.run(row or ())

    def finish_run(self, run: Run) -> None:
        """See ``Store.finish_run``."""
        with self._writing():
            need_run(self._db, run.id)
            self._db.run("run_put", rows.run_values(run))

    def runs(self, limit: int = 20) -> list[Run]:
        """See ``Store.runs``."""
        with self._db.reading():
            return [rows.run(row) for row in self._db.rows("runs", (limit,))]

    def run(self, run_id: int) -> Run | None:
        """See ``Store.run``."""
        with self._db.reading():
            row = self._db.row("run", (run_id,))
            return rows.run(row) if row else None

    def claim_request(
        self, source: str, bucket: str, at: datetime, run_id: int | None, limits: Sequence[Limit]
    ) -> int | datetime:
        """See ``Store.claim_request``."""
        with self._writing():
            if run_id is not None:
                need_run(self._db, run_id)
            full = [limit.free_at(self.nth_last_request(source, limit.requests, at), at) for limit in limits]
            free_at = max((one for one in full if one is not None), default=None)
            return free_at or self._db.run("request_add", (source, bucket, rows.stamp(at), run_id))

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        """See ``Store.settle_request``."""
        self._settled.append((status, bytes_received, number))

    def _ahead(self, source: str, after: datetime) -> tuple[int, int]:
        ((count, last),) = self._db.rows("requests_ahead", (source, rows.stamp(after)))
        return int(count), int(last or 0)

    def _since(self, source: str, since: datetime) -> int:
        return self._ahead(source, since)[0]

    def _nth(self, source: str, n: int) -> datetime | None:
        with self._db.reading():
            row = self._db.row("request_nth_last", (source, n - 1))
            return rows.instant(row[0]) if row else None

    def _move(self, source: str, after: datetime, to: datetime) -> None:
        self._db.run("requests_pull_back", (rows.stamp(to), source, rows.stamp(after)))

    def _cooldowns(self, source: str) -> list[Cooldown]:
        with self._db.reading():
            return [
                Cooldown(row[0], rows.instant(row[1]), row[2], row[3], rows.instant_or_none(row[4]))
                for row in self._db.rows("cooldowns", (source,))
            ]

    def _keep_cooldown(self, cooldown: Cooldown) -> None:
        until, since = rows.stamp(cooldown.until), rows.stamp_or_none(cooldown.since)
        self._db.run("cooldown_put", (cooldown.source, until, cooldown.reason, cooldown.bucket, since))

    def setting(self, name: str) -> str | None:
        """See ``Store.setting``."""
        row = self._db.row("setting", (name,))
        return row[0] if row else None

    def set_setting(self, name: str, value: str | None) -> None:
        """See ``Store.set_setting``."""
        with self._writing():
            self._keep_setting(name, value)

    def _keep_setting(self, name: str, value: str | None) -> None:
        if value is None:
            self._db.run("setting_drop", (name,))
        else:
            self._db.run("setting_put", (name, value))
