"""What a source of releases must do, and what it is given to do it with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from freshwax.model import Follow, Group, Observation
from freshwax.quota import Cooldown, Limit


class Want(Struct, frozen=True):
    """What to ask for: the groups, the market, and how far back a first check reads (releases dated ``since`` or
    later).

    ``head_every``: each how many probes of a kind that cannot see the album head read that head too. ``page_cap``:
    pages that one check may read of a group while unknown releases keep coming. ``anew``: read the heads as at a
    first check.
    """

    groups: tuple[Group, ...]
    market: str
    since: date
    head_every: int = 4
    page_cap: int = 20
    anew: bool = False


class Candidate(Struct, frozen=True):
    """An artist that a search found; ``hint`` tells homonyms apart (a link, genres)."""

    id: str
    name: str
    hint: str


class Source(Protocol):
    """A service that lists artists' releases.

    Every method raises ``CheckError`` when this one artist cannot be answered, ``Paused`` when nothing more may be
    asked now, ``SourceDown``, ``AuthError`` or ``ClockSkew`` when asking on is pointless. No method waits longer
    than 10 s for anybody's ``Retry-After``.
    """

    name: str

    async def check(self, follow: Follow, want: Want) -> Observation:
        """Look for what changed since the last check, as cheaply as the source allows.

        A quota that ends in mid-check gives what was answered so far, marked ``paused``; with nothing answered, it
        raises.
        """
        ...

    async def read_deep(self, follow: Follow, group: Group, want: Want, pages: int) -> Observation:
        """Read a group's list from its deep cursor (else its horizon) on, ``pages`` pages at most."""
        ...

    async def search_artists(self, name: str) -> list[Candidate]:
        """Return the artists found under a name, best first; one request."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class Ledger(Protocol):
    """The part of the store that the network layer needs (``store.base.Store`` has it)."""

    def settle_request(self, number: int, status: int, bytes_received: int) -> None:
        """See ``Store.settle_request``."""
        ...

    def nth_last_request(self, source: str, n: int, now: datetime | None = None) -> datetime | None:
        """See ``Store.nth_last_request``."""
        ...

    def claim_request(
        self, source: str, bucket: str, at: datetime, run_id: int | None, limits: Sequence[Limit]
    ) -> int | datetime:
        """See ``Store.claim_request``."""
        ...

    def notice_ahead(self, source: str, now: datetime) -> int:
        """See ``Store.notice_ahead``."""
        ...

    def pull_back(self, source: str, now: datetime) -> int:
        """See ``Store.pull_back``."""
        ...

    def cooldowns(self, source: str) -> Sequence[Cooldown]:
        """See ``Store.cooldowns``."""
        ...

    def set_cooldown(self, cooldown: Cooldown) -> Cooldown:
        """See ``Store.set_cooldown``."""
        ...

    def setting(self, name: str) -> str | None:
        """See ``Store.setting``."""
        ...

    def set_setting(self, name: str, value: str | None) -> None:
        """See ``Store.set_setting``."""
        ...
