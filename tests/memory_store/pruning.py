"""What is dropped when it is old, in memory."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from tests.memory_store.runs import Runs

from freshwax.discovery.forgetting import tombstone
from freshwax.model import Ref, Silence
from freshwax.store.base import Pruned


class Pruning(Runs):
    """Old outcomes, old requests, the details of old releases; requests lie with the ledger."""

    def prune(self, *, checks_before: datetime, releases_before: datetime | None, most: int) -> Pruned:
        """See ``Store.prune``."""
        with self._state.writing():
            dropped = self._drop_checks(checks_before, most)
            dropped += self._drop_requests(checks_before, most - dropped)
            forgotten = 0 if releases_before is None else self._drop_details(releases_before, most - dropped)
        return Pruned(dropped, forgotten)

    def has_forgotten(self) -> bool:
        """See ``Store.has_forgotten``."""
        return any(release.forgotten for release in self._state.releases.values())

    def _drop_checks(self, before: datetime, most: int) -> int:
        state = self._state
        old = {run.id for run in state.runs.values() if run.started_at < before}
        numbers = [number for number, check in state.checks.items() if check.run_id in old][:most]
        for number in numbers:
            state.drop(state.checks, number)
        return len(numbers)

    def _drop_requests(self, before: datetime, most: int) -> int:
        dropped = 0
        for source, sent in self._requests.items():
            kept = [one for place, one in enumerate(sent) if one[0] >= before or place >= most - dropped]
            dropped += len(sent) - len(kept)
            self._requests[source] = kept
        return dropped

    def _drop_details(self, before: datetime, most: int) -> int:
        state = self._state
        old = sorted((seen, ref) for ref, seen in state.first_seen.items() if seen < before)
        refs = [ref for _, ref in islice((one for one in old if self._forgettable(one[1], before)), most)]
        for ref in refs:
            state.put(state.releases, ref, tombstone(state.releases[ref]))
            state.drop(state.history, ref)
        return len(refs)

    def _forgettable(self, ref: Ref, before: datetime) -> bool:
        state = self._state
        release = state.releases[ref]
        if release.forgotten or any(ref in waiting for waiting in state.outbox.values()):
            return False
        if release.date is not None and (release.date.value + "-99-99")[:10] >= before.date().isoformat():
            return False
        decided = (known for _, known in state.decided(ref))
        recent = any(one.decided_at >= before or one.silence is Silence.HELD for one in decided)
        return not recent and all(telling.told_at < before for telling in state.told.get(ref, ()))
