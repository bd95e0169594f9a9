"""Runs, the request ledger, cooldowns and settings, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from freshwax.model import Mode, Run
from freshwax.quota import SLACK, Cooldown, Limit
from freshwax.store import rows
from freshwax.store.facts import KILLED
from freshwax.store.sqlite_part import Part, need_run


class Runs(Part):
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
        return [rows.run(row) for row in self._db.rows("runs", (limit,))]

    def run(self, run_id: int) -> Run | None:
        """See ``Store.run``."""
        row = self._db.row("run", (run_id,))
        return rows.run(row) if row else None

    def record_request(self, source: str, bucket: str, at: datetime, run_id: int | None) -> int:
        """See ``Store.record_request``."""
        with self._writing():
            if run_id is not None:
                need_run(self._db, run_id)
            return self._db.run("request_add", (source, bucket, rows.stamp(at), run_id))

    def claim_request(
        self, source: str, bucket: str, at: datetime, run_id: int | None, limits: Sequence[Limit]
    ) -> int | datetime:
        """See ``Store.claim_request``."""
        with self._writing():
            if run_id is not None:
                need_run(self._db, run_id)
            full = [limit.free_at(self.nth_last_request(source, limit.requests), at) for limit in limits]
            free_at = max((one for one in full if one is not None), default=None)
            return free_at or self._db.run("request_add", (source, bucket, rows.stamp(at), run_id))

    def pull_back_requests(self, source: str, now: datetime) -> int:
        """See ``Store.pull_back_requests``."""
        if not self.requests_since(source, now + SLACK):
            return 0
        with self._writing():
            ahead, newest = self.requests_since(source, now + SLACK), self.nth_last_request(source, 1)
            if ahead and newest is not None:
                by = rows.stamp(newest) - rows.stamp(now)
                self._db.run("requests_pull_back", (by, source, rows.stamp(now)))
        return ahead

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        """See ``Store.settle_request``."""
        self._settled.append((status, bytes_received, number))

    def nth_last_request(self, source: str, n: int) -> datetime | None:
        """See ``Store.nth_last_request``."""
        row = self._db.row("request_nth_last", (source, n - 1))
        return rows.instant(row[0]) if row else None

    def requests_since(self, source: str, since: datetime) -> int:
        """See ``Store.requests_since``."""
        ((count,),) = self._db.rows("requests_since", (source, rows.stamp(since)))
        return int(count)

    def cooldowns(self, source: str) -> list[Cooldown]:
        """See ``Store.cooldowns``."""
        return [
            Cooldown(row[0], rows.instant(row[1]), row[2], row[3], rows.instant_or_none(row[4]))
            for row in self._db.rows("cooldowns", (source,))
        ]

    def set_cooldown(self, cooldown: Cooldown) -> None:
        """See ``Store.set_cooldown``."""
        with self._writing():
            until, since = rows.stamp(cooldown.until), rows.stamp_or_none(cooldown.since)
            self._db.run("cooldown_put", (cooldown.source, until, cooldown.reason, cooldown.bucket, since))

    def setting(self, name: str) -> str | None:
        """See ``Store.setting``."""
        row = self._db.row("setting", (name,))
        return row[0] if row else None

    def set_setting(self, name: str, value: str | None) -> None:
        """See ``Store.set_setting``."""
        with self._writing():
            if value is None:
                self._db.run("setting_drop", (name,))
            else:
                self._db.run("setting_put", (name, value))
