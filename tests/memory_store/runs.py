"""Runs, the request ledger, cooldowns and settings, in memory."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from msgspec.structs import replace
from tests.memory_store.part import Part

from freshwax.model import Mode, Run, RunStatus
from freshwax.quota import Cooldown, Limit
from freshwax.store.ahead import Ahead
from freshwax.store.facts import KILLED


class Runs(Part, Ahead):
    """Runs and what they ask of the sources."""

    def __init__(self) -> None:
        super().__init__()
        self._requests: dict[str, list[tuple[datetime, int]]] = {}
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

    def claim_request(
        self,
        source: str,
        bucket: str,
        at: datetime,
        run_id: int | None,
        limits: Sequence[Limit],
    ) -> int | datetime:
        """See ``Store.claim_request``."""
        with self._state.writing():
            if run_id is not None:
                self._state.need_run(run_id)
            full = [limit.free_at(self.nth_last_request(source, limit.requests, at), at) for limit in limits]
            if free_at := max((one for one in full if one is not None), default=None):
                return free_at
            self._request_count += 1
            insort(self._requests.setdefault(source, []), (at, self._request_count))
        return self._request_count

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        """See ``Store.settle_request``; nothing ever asks for these."""

    def _writing(self) -> AbstractContextManager[None]:
        return self._state.writing()

    def _ahead(self, source: str, after: datetime) -> tuple[int, int]:
        sent = self._requests.get(source, [])
        ahead = sent[bisect_left(sent, (after, 0)) :]
        return len(ahead), max((number for _, number in ahead), default=0)

    def _since(self, source: str, since: datetime) -> int:
        return self._ahead(source, since)[0]

    def _nth(self, source: str, n: int) -> datetime | None:
        sent = self._requests.get(source, [])
        return sent[-n][0] if 0 < n <= len(sent) else None

    def _move(self, source: str, after: datetime, to: datetime) -> None:
        sent = self._requests.get(source, [])
        self._requests[source] = sorted((to if at >= after else at, number) for at, number in sent)

    def _cooldowns(self, source: str) -> list[Cooldown]:
        found = (one for one in self._state.cooldowns.values() if one.source == source)
        return sorted(found, key=lambda one: one.bucket)

    def _keep_cooldown(self, cooldown: Cooldown) -> None:
        self._state.put(self._state.cooldowns, (cooldown.source, cooldown.bucket), replace(cooldown, noticed=None))

    def setting(self, name: str) -> str | None:
        """See ``Store.setting``."""
        return self._state.settings.get(name)

    def set_setting(self, name: str, value: str | None) -> None:
        """See ``Store.set_setting``."""
        with self._state.writing():
            self._keep_setting(name, value)

    def _keep_setting(self, name: str, value: str | None) -> None:
        if value is None:
            self._state.drop(self._state.settings, name)
        else:
            self._state.put(self._state.settings, name, value)
