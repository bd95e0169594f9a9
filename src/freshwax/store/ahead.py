"""What the ledger holds of a time in the future, on every store: counted, but not moved until the clock is confirmed.

Either the clock was ahead when that was written, or it is behind now, and nothing here can tell which. So it counts
from the moment at which somebody noticed; that moment is remembered, beside the instants, which stay as they are. A
clock that is set right finds the ledger as it was, and one that was ahead bars nobody for ever.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import datetime

import msgspec
from msgspec.structs import replace

from freshwax.quota import SLACK, Cooldown, believed, is_ahead, lasting

SETTING = "ahead."  # and the source


class Noticed(msgspec.Struct, frozen=True):
    """Since when requests of the future count, of those that are numbered up to ``last``; by bucket, the instant at
    which a pause of the future was learnt, and that at which this was noticed.
    """

    at: datetime | None = None
    last: int = 0
    pauses: dict[str, tuple[datetime, datetime]] = {}


class Ahead(ABC):
    """Counts what lies in the future from when it was noticed. See ``Store`` for the public methods."""

    def notice_ahead(self, source: str, now: datetime) -> int:
        """See ``Store.notice_ahead``."""
        before = self._noticed(source)
        ahead, last = self._ahead(source, now + SLACK)
        at = self._counting_from(before, last, now) if ahead else None
        pauses = {
            one.bucket: (one.since, believed(one, now).since or now)
            for one in self.cooldowns(source)
            if one.since is not None and is_ahead(one, now)
        }
        after = Noticed(at, last if ahead else 0, pauses)
        if after != before:
            with self._writing():
                self._keep_setting(
                    SETTING + source, None if after == Noticed() else msgspec.json.encode(after).decode()
                )
        return ahead

    def pull_back(self, source: str, now: datetime) -> int:
        """See ``Store.pull_back``."""
        with self._writing():
            ahead, last = self._ahead(source, now + SLACK)
            if ahead:
                self._move(source, now + SLACK, self._counting_from(self._noticed(source), last, now))
            for one in self.cooldowns(source):
                if is_ahead(one, now):
                    self._keep_cooldown(believed(one, now))
            self._keep_setting(SETTING + source, None)
        return ahead

    def nth_last_request(self, source: str, n: int, now: datetime | None = None) -> datetime | None:
        """See ``Store.nth_last_request``."""
        ahead, last = self._ahead(source, now + SLACK) if now is not None else (0, 0)
        if now is None or not ahead:
            return self._nth(source, n)
        noticed = self._counting_from(self._noticed(source), last, now)
        later = self._since(source, noticed) - ahead
        if later < n <= later + ahead:
            return noticed
        return self._nth(source, n + ahead if n <= later else n)

    def requests_since(self, source: str, since: datetime, now: datetime | None = None) -> int:
        """See ``Store.requests_since``."""
        ahead, last = self._ahead(source, now + SLACK) if now is not None else (0, 0)
        count = self._since(source, since)
        if now is None or not ahead or self._counting_from(self._noticed(source), last, now) >= since:
            return count
        return count - ahead

    def set_cooldown(self, cooldown: Cooldown) -> Cooldown:
        """See ``Store.set_cooldown``."""
        with self._writing():
            known = next((one for one in self.cooldowns(cooldown.source) if one.bucket == cooldown.bucket), None)
            kept = lasting(known, cooldown)
            if kept is cooldown:
                self._keep_cooldown(cooldown)
        return kept

    def cooldowns(self, source: str) -> list[Cooldown]:
        """See ``Store.cooldowns``."""
        found = self._cooldowns(source)
        pauses = self._noticed(source).pauses if found else {}
        seen = [(one, pauses.get(one.bucket)) for one in found]
        return [replace(one, noticed=at[1]) if at and at[0] == one.since else one for one, at in seen]

    def _noticed(self, source: str) -> Noticed:
        text = self.setting(SETTING + source)
        return msgspec.json.decode(text, type=Noticed) if text else Noticed()

    def _counting_from(self, noticed: Noticed, last: int, now: datetime) -> datetime:
        """Return when the requests of the future, the newest of them numbered ``last``, count as sent."""
        known = noticed.at is not None and noticed.at <= now and last <= noticed.last
        return noticed.at if known and noticed.at is not None else now

    @abstractmethod
    def setting(self, name: str) -> str | None:
        """See ``Store.setting``."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[None]:
        """Open a write transaction."""

    @abstractmethod
    def _ahead(self, source: str, after: datetime) -> tuple[int, int]:
        """Return how many requests lie at or after an instant, and the greatest of their numbers (0 without any)."""

    @abstractmethod
    def _since(self, source: str, since: datetime) -> int:
        """Count the requests that are stored at or after an instant."""

    @abstractmethod
    def _nth(self, source: str, n: int) -> datetime | None:
        """Return the n-th last instant that is stored."""

    @abstractmethod
    def _move(self, source: str, after: datetime, to: datetime) -> None:
        """Move the requests at or after an instant back to another: by which clocks they were sent is not known."""

    @abstractmethod
    def _cooldowns(self, source: str) -> list[Cooldown]:
        """Return the cooldowns as they are stored, by bucket."""

    @abstractmethod
    def _keep_cooldown(self, cooldown: Cooldown) -> None:
        """Write a cooldown, within a transaction."""

    @abstractmethod
    def _keep_setting(self, name: str, value: str | None) -> None:
        """Write a setting, within a transaction; None forgets it."""
