"""Runs, the request ledger, cooldowns and settings, in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from freshwax.model import Mode, Run, RunStatus
from freshwax.quota import SLACK, Cooldown, Limit
from freshwax.store.facts import KILLED
from freshwax.store.memory_part import Part


class Runs(Part):
    """Runs and what they ask of the sources."""

    def __init__(self) -> None:
        super().__init__()
        self._requests: dict[str, list[datetime]] = {}
        self._request_count = 0

    def start_run(self, mode: Mode, market: str, now: datetime) -> Run:
        """See ``Store.start_run``."""
        runs = self._state.runs
        with self._state.writing():
            for before in [run for run in runs.values() if run.status is RunStatus.RUNNING]:
                self._state.put(runs, before.id, replace(before, status=RunStatus.FAILED, error=KILLED, exit_code=1))
            run = Run(len(runs) + 1, mode, RunStatus.RUNNING, market, now)
            self._state.put(runs, run.id, run)
        return run

    def finish_run(self, run: Run) -> None:
        """See ``Store.finish_run``."""
        with self._state.writing():
            self._state.need_run(run.id)
            self._state.put(self._state.runs, run.id, run)

    def runs(self, limit: int = 20) -> list[Run]:
        """See ``Store.runs``."""
        return list(self._state.runs.values())[::-1][:limit]

    def run(self, run_id: int) -> Run | None:
        """See ``Store.run``."""
        return self._state.runs.get(run_id)

    def record_request(self, source: str, bucket: str, at: datetime, run_id: int | None) -> int:  # noqa: ARG002
        """See ``Store.record_request``."""
        with self._state.writing():
            if run_id is not None:
                self._state.need_run(run_id)
            insort(self._requests.setdefault(source, []), at)
            self._request_count += 1
        return self._request_count

    def claim_request(
        self, source: str, bucket: str, at: datetime, run_id: int | None, limits: Sequence[Limit]
    ) -> int | datetime:
        """See ``Store.claim_request``."""
        full = [limit.free_at(self.nth_last_request(source, limit.requests), at) for limit in limits]
        free_at = max((one for one in full if one is not None), default=None)
        return free_at or self.record_request(source, bucket, at, run_id)

    def pull_back_requests(self, source: str, now: datetime) -> int:
        """See ``Store.pull_back_requests``."""
        ahead = self.requests_since(source, now + SLACK)
        with self._state.writing():
            at = self._requests.get(source, [])
            if ahead:
                by = at[-1] - now
                self._requests[source] = sorted(one - by if one > now else one for one in at)
        return ahead

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        """See ``Store.settle_request``; nothing ever asks for these."""

    def nth_last_request(self, source: str, n: int) -> datetime | None:
        """See ``Store.nth_last_request``."""
        at = self._requests.get(source, [])
        return at[-n] if 0 < n <= len(at) else None

    def requests_since(self, source: str, since: datetime) -> int:
        """See ``Store.requests_since``."""
        at = self._requests.get(source, [])
        return len(at) - bisect_left(at, since)

    def cooldowns(self, source: str) -> list[Cooldown]:
        """See ``Store.cooldowns``."""
        found = (one for one in self._state.cooldowns.values() if one.source == source)
        return sorted(found, key=lambda one: one.bucket)

    def set_cooldown(self, cooldown: Cooldown) -> None:
        """See ``Store.set_cooldown``."""
        with self._state.writing():
            self._state.put(self._state.cooldowns, (cooldown.source, cooldown.bucket), cooldown)

    def setting(self, name: str) -> str | None:
        """See ``Store.setting``."""
        return self._state.settings.get(name)

    def set_setting(self, name: str, value: str | None) -> None:
        """See ``Store.set_setting``."""
        with self._state.writing():
            if value is None:
                self._state.drop(self._state.settings, name)
            else:
                self._state.put(self._state.settings, name, value)
