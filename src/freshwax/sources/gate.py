"""The gate: admits requests by quota, rate, budget and cooldowns, all of which live in the ledger on disk.

What is learnt here is written at once and read before every request, so that processes on one database bound each
other: the day's quota and the rate are theirs together, and what one is told all of them heed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NoReturn

from freshwax.clock import Clock
from freshwax.errors import Paused
from freshwax.model import Cost
from freshwax.quota import (
    BUDGET,
    DAY,
    OWN_PACE,
    OWN_QUOTA,
    SAID_BY_SERVICE,
    WHOLE_SOURCE,
    Cooldown,
    Limit,
    believed,
    in_force,
    is_ahead,
    limits,
    paused,
)
from freshwax.sources.base import Ledger

AGREEMENT = timedelta(minutes=10)  # a Date was on its way, and few clocks are right to the minute


class Gate:
    """Admits requests, and counts what they cost.

    ``per_day`` and ``per_second`` hold for all processes on the ledger together, ``budget`` for this gate. ``run_id``
    goes into the ledger with each request. ``refusal`` is the last reason why a request was not admitted. ``doubtful``:
    the ledger speaks of the future, so it or the clock is wrong; None as long as nobody looked.
    """

    def __init__(
        self,
        source: str,
        ledger: Ledger,
        clock: Clock,
        *,
        per_day: int | None = None,
        per_second: float | None = None,
        budget: int | None = None,
        run_id: int | None = None,
    ) -> None:
        self.run_id = run_id
        self.refusal: Paused | None = None
        self.doubtful: bool | None = None
        self._source = source
        self._ledger = ledger
        self._clock = clock
        self._per_day = per_day
        self._limits = limits(per_day, per_second)
        self._budget = budget
        self._requests = 0
        self._not_modified = 0
        self._bytes = 0

    @property
    def budget(self) -> int | None:
        """How many requests the budget still allows; None: any number."""
        return self._budget

    @property
    def cost(self) -> Cost:
        """What was spent through this gate (``seconds`` is the tracker's to fill)."""
        return Cost(self._requests, self._not_modified, self._bytes)

    def allow(self, requests: int | None) -> None:
        """Set the budget: so many requests from now on; None lifts it."""
        self._budget = requests

    def check(self, bucket: str) -> None:
        """Raise ``Paused`` if a request would not be admitted now; the rate alone is looked at in ``admit``."""
        full_until = self._room_at(1, self._check_terms(bucket))
        if full_until is not None:
            self._refuse_until(full_until, OWN_QUOTA)

    def check_cooldown(self, bucket: str | None) -> datetime:
        """Raise ``Paused`` if the source asked to be left alone: as a whole, or this bucket of it. Returns the time."""
        now = self._now()
        cooldowns = self._ledger.cooldowns(self._source)
        self.doubtful = self.doubtful or any(is_ahead(one, now) for one in cooldowns)
        barring = in_force(cooldowns, bucket, now)
        if barring is not None:
            self._refuse_until(barring.until, barring.reason)
        return now

    def admit(self, bucket: str) -> int:
        """Record a request before it is sent and return its number in the ledger. Raises ``Paused``."""
        now = self._check_terms(bucket)
        claim = self._ledger.claim_request(self._source, bucket, now, self.run_id, self._limits)
        if isinstance(claim, datetime):
            self._refuse_until(claim, OWN_QUOTA if claim == self._room_at(1, now) else OWN_PACE)
        self._requests += 1
        if self._budget is not None:
            self._budget -= 1
        return claim

    def settle(self, number: int, status: int, bytes_received: int) -> None:
        """Note how a request ended; status 0 where there was no answer."""
        self._ledger.settle_request(number, status, bytes_received)
        self._not_modified += status == 304
        self._bytes += bytes_received

    def pause(self, wait: timedelta, reason: str, bucket: str | None = None) -> NoReturn:
        """Close the gate for so long, to every process and every later one, and raise ``Paused``.

        With a ``bucket`` for that alone. A longer pause that is known already stays.
        """
        now = self._now()
        kept = self._ledger.set_cooldown(Cooldown(self._source, now + wait, reason, bucket or WHOLE_SOURCE, now))
        self._refuse_until(believed(kept, now).until, kept.reason)

    def confirm(self, theirs: datetime | None) -> None:
        """Compare the clock with the ``Date`` of an answer; where they agree, what the ledger holds of the future was
        written by a clock that was ahead, and is taken back for good.
        """
        now = self._clock.now()
        if self.doubtful and theirs is not None and abs(theirs - now) <= AGREEMENT:
            self._ledger.pull_back(self._source, now)
            self.doubtful = False

    def resumes(self, requests: int) -> datetime | None:
        """Return when so many requests, the day's quota at most, will be admitted; None: now."""
        now = self._clock.now()
        told = self.refusal.until if self.refusal is not None and self.refusal.reason in SAID_BY_SERVICE else None
        ends = (one for one in (told, self._room_at(requests, now)) if one is not None and one > now)
        return max(ends, default=None)

    def _check_terms(self, bucket: str) -> datetime:
        """Raise ``Paused`` for a cooldown or a spent budget; return the time."""
        now = self.check_cooldown(bucket)
        if self._budget is not None and self._budget <= 0:
            self._refuse(Paused("The request budget of this run is spent", reason=BUDGET, until=None))
        return now

    def _now(self) -> datetime:
        """Read the clock, and take note of what the ledger holds of the future."""
        now = self._clock.now()
        self.doubtful = self._ledger.notice_ahead(self._source, now) > 0
        return now

    def _room_at(self, requests: int, now: datetime) -> datetime | None:
        """Return when the rolling day has room for so many requests, as many as it holds at most; None: now."""
        if not self._per_day:
            return None
        taken = self._per_day - min(max(requests, 1), self._per_day) + 1
        return Limit(self._per_day, DAY).free_at(self._ledger.nth_last_request(self._source, taken, now), now)

    def _refuse_until(self, until: datetime, reason: str) -> NoReturn:
        self._refuse(Paused(paused(self._source, until, reason, self._per_day), reason=reason, until=until))

    def _refuse(self, refusal: Paused) -> NoReturn:
        self.refusal = refusal
        raise refusal
